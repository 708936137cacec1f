import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { ChatFile } from "../../../sdk/src/index.js";
import type { ChatModel } from "../state/chat-model.js";
import { sizeText } from "../state/chat-words.js";
import { AttachIcon, CloseIcon, FileIcon } from "./icons.js";

// What every browser shows and none runs; the server calls only these by their name.
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

/** The files of a message: pictures as such, others by name and size. */
export function Files({ chat, files }: { chat: ChatModel; files: readonly ChatFile[] }) {
	return (
		<ul class="files">
			{files.map((file) => (
				<li key={file.id}>
					{PICTURES.includes(file.type) ? (
						<Picture file={file} url={chat.room.chat.urlOf(file)} />
					) : (
						<FileCard file={file} url={chat.room.chat.urlOf(file)} />
					)}
				</li>
			))}
		</ul>
	);
}

interface FileProps {
	file: ChatFile;
	url: string;
}

function Picture({ file, url }: FileProps) {
	const broken = useSignal(false);
	if (broken.value) return <FileCard file={file} url={url} />;
	return (
		<a class="picture" href={url} target="_blank" rel="noreferrer" title={file.name}>
			<img
				src={url}
				alt={file.name}
				loading="lazy"
				data-testid="chat-picture"
				onError={() => {
					broken.value = true;
				}}
			/>
		</a>
	);
}

function FileCard({ file, url }: FileProps) {
	return (
		<a class="file-card" href={url} download={file.name} data-testid="chat-file">
			<FileIcon />
			<span>
				<strong dir="auto">{file.name}</strong>
				<small>{sizeText(file.size)} · Download</small>
			</span>
		</a>
	);
}

/** Opens the browser's dialog for files. */
export function AttachButton({ chat }: { chat: ChatModel }) {
	const input = useRef<HTMLInputElement>(null);
	return (
		<>
			<button
				type="button"
				class="plain round"
				data-testid="chat-attach"
				aria-label="Attach files"
				title="Attach files"
				onClick={() => input.current?.click()}
			>
				<AttachIcon />
			</button>
			<input
				ref={input}
				type="file"
				multiple
				hidden
				data-testid="chat-file-input"
				onChange={(event) => {
					chat.attach([...(event.currentTarget.files ?? [])]);
					event.currentTarget.value = "";
				}}
			/>
		</>
	);
}

/** How far each file is, and a way to stop it. */
export function UploadList({ chat }: { chat: ChatModel }) {
	const items = chat.uploads.items.value;
	if (items.length === 0) return null;
	return (
		<ul class="uploads" aria-label="Files being sent">
			{items.map(({ key, name, size, part }) => (
				<li key={key} class="upload" data-testid="chat-upload">
					<span class="upload-name" dir="auto">
						{name}
					</span>
					<small>{sizeText(size)}</small>
					<button
						type="button"
						class="plain round"
						aria-label={`Do not send ${name}`}
						data-testid="chat-upload-cancel"
						onClick={() => chat.uploads.cancel(key)}
					>
						<CloseIcon size={18} />
					</button>
					<progress max={1} value={part} aria-label={`Sending ${name}`} />
				</li>
			))}
		</ul>
	);
}

/** Files that are dropped anywhere on the call are sent, and the chat shows them. */
export function useDrop(chat: ChatModel) {
	const depth = useSignal(0);
	const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
	const handlers = {
		onDragEnter: (event: DragEvent) => {
			if (hasFiles(event) && chat.uploads.possible.value) depth.value += 1;
		},
		onDragLeave: (event: DragEvent) => {
			if (hasFiles(event)) depth.value = Math.max(0, depth.value - 1);
		},
		// Without this the browser would leave the call to show the file.
		onDragOver: (event: DragEvent) => {
			if (hasFiles(event)) event.preventDefault();
		},
		onDrop: (event: DragEvent) => {
			depth.value = 0;
			if (!hasFiles(event)) return;
			event.preventDefault();
			if (!chat.uploads.possible.value) return;
			chat.attach([...(event.dataTransfer?.files ?? [])]);
			if (!chat.open.value) chat.toggle();
		},
	};
	return { over: depth.value > 0, handlers };
}
