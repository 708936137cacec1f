import { ConnectionError, RequestError } from "./errors.js";
import { isObject } from "./json.js";
import type { WireError } from "./wire.js";
import type * as wire from "./wire-types.js";

/** A file of a message; `Chat.urlOf` says where it is. */
export type ChatFile = wire.File;

/** How an upload is to go. */
export interface UploadOptions {
	/** What the file is called; else its own name. */
	name?: string | undefined;
	signal?: AbortSignal | undefined;
	/** How much of it has gone, from 0 to 1. In browsers only. */
	onProgress?: ((part: number) => void) | undefined;
}

interface Answer {
	status: number;
	text: string;
}

/** Where a file goes, and what it is shown by. */
export interface UploadPlace {
	url: string;
	key: string;
	/** Bytes that the server takes at most. */
	limit: number;
}

/** Rejects with a RequestError when the server refuses it, a ConnectionError when it is away. */
export async function upload(
	{ url, key, limit }: UploadPlace,
	file: Blob,
	{ name, signal, onProgress }: UploadOptions = {},
): Promise<ChatFile> {
	if (file.size > limit) throw new RequestError("too_large", `over ${limit} bytes`, "file");
	const to = new URL(url);
	to.searchParams.set("name", name ?? nameOf(file));
	signal?.throwIfAborted();
	// Only this one tells how far it is; node has only the other.
	const send = typeof XMLHttpRequest === "undefined" ? sendByFetch : sendByRequest;
	const answer = await send(to.href, key, file, signal, onProgress);
	const value = parsed(answer.text);
	if (answer.status === 201 && isObject(value) && isChatFile(value.file)) return value.file;
	const error = isObject(value) && isObject(value.error) ? (value.error as Partial<WireError>) : {};
	throw RequestError.from(error);
}

/** Node 18 has no File to compare with. */
const nameOf = (file: Blob & { name?: unknown }): string =>
	typeof file.name === "string" ? file.name : "file";

type Send = (
	url: string,
	key: string,
	file: Blob,
	signal: AbortSignal | undefined,
	onProgress: UploadOptions["onProgress"],
) => Promise<Answer>;

const sendByRequest: Send = (url, key, file, signal, onProgress) =>
	new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		const abort = () => request.abort();
		request.open("POST", url);
		request.setRequestHeader("Authorization", `Bearer ${key}`);
		request.upload.onprogress = ({ loaded, total }) => onProgress?.(total ? loaded / total : 0);
		request.onload = () => resolve({ status: request.status, text: request.responseText });
		request.onerror = () => reject(ConnectionError.lost());
		request.onabort = () => reject(signal?.reason);
		request.onloadend = () => signal?.removeEventListener("abort", abort);
		signal?.addEventListener("abort", abort);
		request.send(file);
	});

const sendByFetch: Send = async (url, key, file, signal) => {
	const headers: Record<string, string> = { Authorization: `Bearer ${key}` };
	if (file.type) headers["Content-Type"] = file.type;
	try {
		const init = { method: "POST", headers, body: file, ...(signal && { signal }) };
		const response = await fetch(url, init);
		return { status: response.status, text: await response.text() };
	} catch {
		throw signal?.aborted ? signal.reason : ConnectionError.lost();
	}
};

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

export function isChatFile(value: unknown): value is ChatFile {
	return (
		isObject(value) &&
		typeof value.id === "string" &&
		typeof value.name === "string" &&
		typeof value.type === "string" &&
		typeof value.size === "number"
	);
}
