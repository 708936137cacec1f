// The JSON Schemas of schema/: what clients send and what the server may say.
import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "./deps.mjs";

const ROOT = new URL("../../schema/", import.meta.url);

function read(path) {
	return JSON.parse(readFileSync(new URL(path, ROOT), "utf8"));
}

function load() {
	const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
	ajv.addSchema(read("defs.json"));
	const messages = { client: new Map(), server: new Map() };
	const ids = [];
	for (const side of ["client", "server"]) {
		for (const file of readdirSync(new URL(`${side}/`, ROOT)).sort()) {
			const schema = read(`${side}/${file}`);
			ajv.addSchema(schema);
			ids.push([side, file.replace(/\.json$/, ""), schema.$id]);
		}
	}
	for (const [side, type, id] of ids) {
		messages[side].set(type, ajv.getSchema(id));
	}
	return messages;
}

export const schemas = load();

function complaint(side, message) {
	const validate = schemas[side].get(message?.type);
	if (!validate) {
		return `no schema for what the ${side} says: ${JSON.stringify(message)}`;
	}
	if (validate(message)) {
		return null;
	}
	const errors = validate.errors.map((e) => `${e.instancePath || "/"} ${e.message}`);
	return `${side}/${message.type}.json: ${errors.join("; ")}: ${JSON.stringify(message)}`;
}

/** Throws unless the message is one that the protocol has. */
export function mustBeValid(side, message) {
	const text = complaint(side, message);
	if (text) {
		throw new Error(text);
	}
}
