import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ChatModel } from "../state/chat-model.js";
import { gistOf } from "../state/chat-words.js";
import { AttachButton, UploadList } from "./chat-files.js";
import { CloseIcon, SendIcon } from "./icons.js";

const TALLEST_PX = 160;

/** Where one writes. Enter sends, Shift and Enter begin a new line. */
export function Compose({ chat, away }: { chat: ChatModel; away: boolean }) {
	const text = useSignal("");
	const input = useRef<HTMLTextAreaElement>(null);
	const editing = chat.editing.value;
	const replyTo = chat.replyTo.value;
	// At once, not after the next picture: a key that follows shall not be taken for a shortcut.
	useLayoutEffect(() => {
		if (editing) text.value = editing.text;
		input.current?.focus();
	}, [editing, replyTo]);
	useEffect(() => {
		const element = input.current;
		if (!element) return;
		element.style.height = "auto";
		element.style.height = `${Math.min(element.scrollHeight, TALLEST_PX)}px`;
	}, [text.value]);

	const send = (event?: Event) => {
		event?.preventDefault();
		if (chat.say(text.value)) text.value = "";
		input.current?.focus();
	};
	const cancel = () => {
		if (chat.editing.value) text.value = "";
		return chat.cancel();
	};
	const onKey = (event: KeyboardEvent) => {
		if (event.isComposing) return;
		if (event.key === "Enter" && !event.shiftKey) send(event);
		else if (event.key === "ArrowUp" && text.value === "") {
			event.preventDefault();
			chat.editLast();
		} else if (event.key === "Escape" && !cancel()) chat.toggle();
	};
	// A picture from the clipboard is a file; text goes where it is written.
	const onPaste = (event: ClipboardEvent) => {
		const files = [...(event.clipboardData?.files ?? [])];
		if (files.length === 0 || !chat.uploads.possible.value) return;
		event.preventDefault();
		chat.attach(files);
	};
	return (
		<form class="compose" onSubmit={send}>
			{(editing || replyTo) && (
				<p class="compose-about">
					<span>
						{editing
							? "Editing your message"
							: `Reply to ${replyTo?.mine ? "yourself" : replyTo?.name}`}
						<small>{gistOf(editing ?? replyTo ?? NOTHING)}</small>
					</span>
					<button type="button" class="plain round" aria-label="Cancel" onClick={cancel}>
						<CloseIcon size={18} />
					</button>
				</p>
			)}
			{chat.trouble.value && (
				<p class="compose-failed" role="alert" data-testid="chat-trouble">
					{chat.trouble.value}
				</p>
			)}
			{away && (
				<p class="compose-away" role="status" data-testid="chat-away">
					The server is away. What you write is sent when it is back.
				</p>
			)}
			<UploadList chat={chat} />
			<div class="compose-row">
				{chat.uploads.possible.value && !editing && <AttachButton chat={chat} />}
				<textarea
					ref={input}
					rows={1}
					data-testid="chat-input"
					aria-label="Write a message"
					placeholder="Write a message"
					value={text.value}
					onInput={(event) => {
						text.value = event.currentTarget.value;
						chat.room.chat.typing(text.value !== "");
					}}
					onKeyDown={onKey}
					onPaste={onPaste}
				/>
				<button
					type="submit"
					class="primary round"
					data-testid="chat-send"
					aria-label={editing ? "Save" : "Send"}
					disabled={!text.value.trim()}
				>
					<SendIcon size={20} />
				</button>
			</div>
		</form>
	);
}

const NOTHING = { text: "", deleted: false, files: [] };
