// The peer of the chat cases: `socket.io`, and each message kept by better-sqlite3 before it is acknowledged and told
// (WAL, synchronous=FULL). node chat_server.js PORT DIR
// join(room) is answered joined(room), chat(text) goes to all in the room, the sender too.
const { createRequire } = require("node:module");
const { join } = require("node:path");
const http = require("node:http");
const { Server } = createRequire(`${__dirname}/../../web/package.json`)("socket.io");
const Database = require("better-sqlite3");

const db = new Database(join(process.argv[3], "peer.db"));
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE message(id INTEGER PRIMARY KEY, room TEXT, time INTEGER, name TEXT, text TEXT)");
db.exec("CREATE INDEX message_room ON message(room, id)");
const insert = db.prepare("INSERT INTO message(room, time, name, text) VALUES(?, ?, ?, ?)");

const server = http.createServer();
const io = new Server(server, { perMessageDeflate: false, serveClient: false });
io.on("connection", (socket) => {
	let room = "";
	socket.on("join", (name) => {
		room = name;
		socket.join(name);
		socket.emit("joined", name);
	});
	socket.on("chat", (text, kept) => {
		const { lastInsertRowid: n } = insert.run(room, Date.now(), "b", text);
		io.to(room).emit("chat", { n: Number(n), name: "b", text });
		kept({ n: Number(n) });
	});
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
