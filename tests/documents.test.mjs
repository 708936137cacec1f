// What the server says about itself, held against what others publish about such documents: the OpenAPI
// Initiative's schemas, and AsyncAPI's.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Ajv, asyncapiSchema, loadOpenapiValidator } from "./lib/deps.mjs";
import { get } from "./lib/http.mjs";
import { startServer } from "./lib/server.mjs";

let server;
before(async () => {
	server = await startServer();
});
after(() => server.stop());

const read = async (path) => JSON.parse((await get(server, path)).text);

describe("/openapi.json", () => {
	/** What the validator has against a document; undefined: nothing. */
	async function problems(document) {
		const { Validator } = await loadOpenapiValidator();
		const validator = new Validator();
		const { valid, errors } = await validator.validate(document);
		assert.equal(validator.version, "3.1");
		return valid ? undefined : errors;
	}

	it("is OpenAPI 3.1", async () => {
		assert.equal(await problems(await read("/openapi.json")), undefined);
	});

	it("would not pass with a mistake in it", async () => {
		const document = await read("/openapi.json");
		document.paths["/api/v1/rooms"].get.parameters[0].in = "nowhere";
		assert.notEqual(await problems(document), undefined);
	});
});

describe("/asyncapi.json", () => {
	let validate;
	before(() => {
		const ajv = new Ajv({ strict: false, validateFormats: false });
		validate = ajv.compile(asyncapiSchema("3.0.0"));
	});

	it("is AsyncAPI 3.0", async () => {
		assert.ok(validate(await read("/asyncapi.json")), JSON.stringify(validate.errors));
	});

	it("would not pass with a mistake in it", async () => {
		const document = await read("/asyncapi.json");
		Object.values(document.operations)[0].action = "shout";
		assert.ok(!validate(document));
	});
});
