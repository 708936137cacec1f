// The peer of the Socket.IO cases: the npm package `socket.io`. node sio_server.js PORT
// join(room) is answered joined(room), msg(text) goes to the others in the room, echo(text) comes back.
const { createRequire } = require("node:module");
const http = require("node:http");
const { Server } = createRequire(`${__dirname}/../../web/package.json`)("socket.io");

const server = http.createServer();
const io = new Server(server, { perMessageDeflate: false, serveClient: false });
io.on("connection", (socket) => {
	let room = "";
	socket.on("join", (name) => {
		room = name;
		socket.join(name);
		socket.emit("joined", name);
	});
	socket.on("msg", (text) => socket.to(room).emit("msg", text));
	socket.on("echo", (text) => socket.emit("echo", text));
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
