// check-sdk.mjs: holds the SDK's documentation to the SDK. Takes every TypeScript example out of
// the doc comments and docs/sdk.md and compiles it, and fails when a public name has no comment, or
// a public class or function no example.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const INDEX = at("sdk/src/index.ts");
const EXAMPLES = at("sdk/dist-examples");
const GUIDE = at("../docs/sdk.md");

/** What an example may use without saying where it has it from. */
const GIVEN = `
declare const connection: Connection;
declare const room: Room;
declare const media: LocalMedia;
declare const call: CallSession;
declare function show(...tracks: (MediaStreamTrack | null)[]): void;
`;

const { options } = ts.parseJsonConfigFileContent(
	{ ...ts.readConfigFile(at("tsconfig.json"), ts.sys.readFile).config, include: [] },
	ts.sys,
	at("."),
);

function examplesOf(path, text) {
	const comment = /^\s*\* ?/gm;
	const plain = path.endsWith(".ts") ? text.replace(comment, "") : text;
	return [...plain.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
}

/** The example as a module: what it takes for granted is imported and declared. */
function moduleOf(code, exported) {
	if (/^import .*"@parley\/client"/ms.test(code)) return `${code}export {};\n`;
	const declared = [...code.matchAll(/^(?:const|let|declare const) (\w+)/gm)].map(
		([, name]) => name,
	);
	const given = GIVEN.split("\n").filter((line) => {
		const name = /(?:const|function) (\w+)/.exec(line)?.[1];
		return name !== undefined && !declared.includes(name);
	});
	const body = [...given, code].join("\n");
	const used = exported.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(body));
	const list = used.map((one) => (isValue(one) ? one.name : `type ${one.name}`)).join(", ");
	return `import { ${list} } from "@parley/client";\n${body}\nexport {};\n`;
}

function writeExamples(exported) {
	rmSync(EXAMPLES, { recursive: true, force: true });
	mkdirSync(EXAMPLES, { recursive: true });
	const sources = readdirSync(at("sdk/src")).filter((name) => !/\.test\.ts$|^testing/.test(name));
	const paths = [GUIDE, ...sources.map((name) => at(`sdk/src/${name}`))];
	const files = [];
	for (const path of paths) {
		const base = path.replace(/^.*\//, "").replace(/\W/g, "-");
		examplesOf(path, readFileSync(path, "utf8")).forEach((code, index) => {
			const file = `${EXAMPLES}/${base}-${index + 1}.ts`;
			writeFileSync(file, moduleOf(code, exported));
			files.push(file);
		});
	}
	return files;
}

function publicNames() {
	const program = ts.createProgram([INDEX], options);
	const checker = program.getTypeChecker();
	const module = checker.getSymbolAtLocation(program.getSourceFile(INDEX));
	return checker.getExportsOfModule(module).map((symbol) => {
		const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
		const [from] = symbol.declarations;
		const typeOnly =
			ts.isExportSpecifier(from) && (from.isTypeOnly || from.parent.parent.isTypeOnly);
		return { name: symbol.name, symbol: real, checker, typeOnly };
	});
}

const hasComment = ({ symbol, checker }) => symbol.getDocumentationComment(checker).length > 0;
const isValue = ({ symbol, typeOnly }) => !typeOnly && (symbol.flags & ts.SymbolFlags.Value) !== 0;

/** Public methods, accessors and fields of a class that say nothing of themselves. */
function silentMembers({ name, symbol, checker }) {
	if (!(symbol.flags & ts.SymbolFlags.Class)) return [];
	const silent = [...symbol.members.values()].filter((member) => {
		const [node] = member.declarations ?? [];
		const hidden =
			ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
		const named = node.name && ts.isIdentifier(node.name) && !ts.isTypeParameterDeclaration(node);
		// handle*: what the SDK's own parts tell each other.
		return (
			named &&
			!hidden &&
			!member.name.startsWith("handle") &&
			member.getDocumentationComment(checker).length === 0
		);
	});
	return silent.map((member) => `${name}.${member.name} has no comment`);
}

function compile(files) {
	const program = ts.createProgram(files, {
		...options,
		noUnusedLocals: false,
		noEmit: true,
		paths: { "@parley/client": [INDEX] },
	});
	return ts.getPreEmitDiagnostics(program).map((found) => {
		const text = ts.flattenDiagnosticMessageText(found.messageText, "\n");
		const line = found.file?.getLineAndCharacterOfPosition(found.start).line ?? 0;
		return `${found.file?.fileName.replace(/^.*\//, "")}:${line + 1}: ${text}`;
	});
}

const exported = publicNames().filter(({ symbol }) => !(symbol.flags & ts.SymbolFlags.ValueModule));
const files = writeExamples(exported);
const shown = files
	.map((file) => readFileSync(file, "utf8").replace(/^import .*$/gm, ""))
	.join("\n");
const problems = [
	...exported.filter((one) => !hasComment(one)).map(({ name }) => `${name} has no comment`),
	...exported.flatMap(silentMembers),
	...exported
		.filter((one) => isValue(one) && !new RegExp(`\\b${one.name}\\b`).test(shown))
		.map(({ name }) => `${name} is in no example`),
	...compile(files),
];
for (const problem of problems) console.log(problem);
console.log(
	`sdk: ${exported.length} public names, ${files.length} examples, ${problems.length} problems`,
);
process.exit(problems.length > 0 ? 1 : 0);
