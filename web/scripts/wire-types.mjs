// wire-types.mjs: writes sdk/src/wire-types.ts, the types of every message, from the JSON Schemas
// in schema/. Each command that needs the file makes it first, so it is never behind the schemas.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const SCHEMAS = new URL("../../schema/", import.meta.url);
const OUTPUT = new URL("../sdk/src/wire-types.ts", import.meta.url);

const read = (path) => JSON.parse(readFileSync(new URL(path, SCHEMAS), "utf8"));
const pascal = (text) => text.replace(/(?:^|[-_])(\w)/g, (_, letter) => letter.toUpperCase());
const isName = (text) => /^[A-Za-z_$][\w$]*$/.test(text);

/** `../defs.json#/$defs/room` -> Room; `chat.json` -> ServerChat; `#/$defs/join` -> ServerReplyJoin. */
function nameOfRef(ref, file) {
	const [path, part] = ref.split("#/$defs/");
	if (path.endsWith("defs.json") || (path === "" && file.prefix === "")) return pascal(part);
	const base = path ? file.prefix + pascal(path.replace(/^.*\/|\.json$/g, "")) : file.name;
	return part ? base + pascal(part) : base;
}

function comment(text, indent) {
	return text ? `${indent}/** ${text[0].toUpperCase()}${text.slice(1)}. */\n` : "";
}

function objectType(schema, file, indent) {
	const known = Object.entries(schema.properties ?? {});
	const extra = schema.additionalProperties;
	if (known.length === 0) {
		const value = extra && typeof extra === "object" ? typeOf(extra, file, indent) : "unknown";
		return `Record<string, ${value}>`;
	}
	const inner = `${indent}\t`;
	const fields = known.map(([name, value]) => {
		const mark = schema.required?.includes(name) ? "" : "?";
		const key = isName(name) ? name : JSON.stringify(name);
		const type = typeOf(value, file, inner);
		return `${comment(value.description?.replace(/\.$/, ""), inner)}${inner}${key}${mark}: ${type};\n`;
	});
	return `{\n${fields.join("")}${indent}}`;
}

const PLAIN = {
	string: "string",
	integer: "number",
	number: "number",
	boolean: "boolean",
	null: "null",
};

function plainType(type, schema, file, indent) {
	if (type === "object") return objectType(schema, file, indent);
	if (type === "array") {
		const item = typeOf(schema.items ?? {}, file, indent);
		return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
	}
	if (PLAIN[type]) return PLAIN[type];
	throw new Error(`${file.path}: no type for ${type}`);
}

/** The TypeScript of a schema; what only narrows values (lengths, patterns, if/then) is let go. */
function typeOf(schema, file, indent = "") {
	if (schema === true) return "unknown";
	if (schema.$ref) return nameOfRef(schema.$ref, file);
	if ("const" in schema) return JSON.stringify(schema.const);
	if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
	const choice = schema.oneOf ?? schema.anyOf;
	if (choice && !schema.properties) {
		return [...new Set(choice.map((one) => typeOf(one, file, indent)))].join(" | ");
	}
	if (schema.allOf) return schema.allOf.map((one) => typeOf(one, file, indent)).join(" & ");
	if (Array.isArray(schema.type)) {
		return schema.type.map((type) => plainType(type, schema, file, indent)).join(" | ");
	}
	const type = schema.type ?? (schema.properties ? "object" : undefined);
	return type === undefined ? "unknown" : plainType(type, schema, file, indent);
}

function declaration(name, schema, file) {
	const type = typeOf(schema, file);
	const text = comment(schema.description?.replace(/\.$/, ""), "");
	const shape = type.startsWith("{") && !type.includes("} | ") && !type.includes("} & ");
	return `${text}export ${shape ? `interface ${name} ${type}` : `type ${name} = ${type};`}\n`;
}

function declarationsOf(path, prefix) {
	const schema = read(path);
	const name = prefix + pascal(path.replace(/^.*\/|\.json$/g, ""));
	const file = { path, prefix, name };
	const parts = Object.entries(schema.$defs ?? {}).map(([part, value]) =>
		declaration((prefix ? name : "") + pascal(part), value, file),
	);
	return {
		name,
		text: [...(prefix ? [declaration(name, schema, file)] : []), ...parts].join("\n"),
	};
}

const out = ["// Made by scripts/wire-types.mjs from schema/. Do not edit.\n"];
out.push(declarationsOf("defs.json", "").text);
for (const side of ["client", "server"]) {
	const files = readdirSync(new URL(`${side}/`, SCHEMAS)).filter((name) => name.endsWith(".json"));
	const all = files.sort().map((name) => declarationsOf(`${side}/${name}`, pascal(side)));
	out.push(...all.map(({ text }) => text));
	const who = side === "client" ? "client may say" : "server says";
	out.push(
		`/** All that a ${who}. */\nexport type ${pascal(side)}Message = ${all.map(({ name }) => name).join(" | ")};\n`,
	);
}
const text = out.join("\n");
let old = "";
try {
	old = readFileSync(OUTPUT, "utf8");
} catch {
	// The first time.
}
// Left alone when nothing changed: make goes by its time.
if (text !== old) writeFileSync(OUTPUT, text);
