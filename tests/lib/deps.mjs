// The packages that tests need are the web app's development packages: one lock file for all.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../web/package.json", import.meta.url));

export const WebSocket = require("ws");
/** Stock clients of Socket.IO, by their generation. */
export const socketIo = {
	4: require("socket.io-client"),
	3: require("socket.io-client-3"),
	2: require("socket.io-client-2"),
};
export const Ajv = require("ajv").default;
export const Ajv2020 = require("ajv/dist/2020").default;

/** The JSON Schema (draft 7) that AsyncAPI documents of a version must fit. */
export const asyncapiSchema = (version) =>
	require(`@asyncapi/specs/schemas/${version}-without-$id.json`);
/** Checks OpenAPI documents against the published schemas; a module of the new kind. */
export const loadOpenapiValidator = () =>
	import(pathToFileURL(require.resolve("@seriousme/openapi-schema-validator")));

/** The script that finds what keeps people out of a page. */
export const loadAxe = () => readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// Loaded when asked for: it is large, and only the browser tests drive it.
export const loadPlaywright = () => require("playwright-core");
