import type { ChatFile } from "./chat-wire.js";

/** A file on the server that no message has yet. `pass` lets its holder send it. */
export interface UploadedFile {
	pass: string;
	file: ChatFile;
}
