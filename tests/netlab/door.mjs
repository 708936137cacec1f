// door.mjs PATH HOST PORT: a door into the namespace that it runs in. Each connection to the Unix
// socket PATH becomes a TCP connection from there to HOST:PORT, and ends with it. Ends with its
// input.
import { connect, createServer } from "node:net";

const [path, host, port] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (inside) => {
	const outside = connect({ host, port: Number(port), allowHalfOpen: true });
	inside.pipe(outside).pipe(inside);
	for (const [one, other] of [
		[inside, outside],
		[outside, inside],
	]) {
		one.on("error", () => other.destroy());
		one.on("close", () => other.destroy());
	}
});
server.listen(path, () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());
