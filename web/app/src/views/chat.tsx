import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ChatEntry } from "../../../sdk/src/index.js";
import type { CallModel } from "../state/call-model.js";
import { cutBytes } from "../state/names.js";
import { CloseIcon, SendIcon } from "./icons.js";

const TEXT_BYTES = 8_192;

/** The text chat of the room. */
export function Chat({ model }: { model: CallModel }) {
	const messages = model.messages.value;
	const list = useRef<HTMLOListElement>(null);
	useEffect(() => {
		// To the newest at each new one, not at other renders.
		void messages.length;
		list.current?.scrollTo({ top: list.current.scrollHeight });
	}, [messages.length]);
	return (
		<aside class="chat" aria-label="Chat" data-testid="chat-panel">
			<header class="chat-head">
				<h2>Chat</h2>
				<button
					type="button"
					class="plain round"
					aria-label="Close the chat"
					onClick={() => model.toggleChat()}
				>
					<CloseIcon />
				</button>
			</header>
			<ol class="chat-list" ref={list} aria-live="polite" aria-label="Messages">
				{messages.length === 0 && <li class="chat-empty">Nothing has been written yet.</li>}
				{messages.map((entry, index) => (
					<Message key={entry.key} entry={entry} before={messages[index - 1]} />
				))}
			</ol>
			<Compose model={model} />
		</aside>
	);
}

const CLOSE_MS = 120_000;

function Message({ entry, before }: { entry: ChatEntry; before: ChatEntry | undefined }) {
	const follows =
		before !== undefined &&
		before.mine === entry.mine &&
		before.name === entry.name &&
		entry.time - before.time < CLOSE_MS;
	const time = new Date(entry.time);
	return (
		<li class={entry.mine ? "message mine" : "message"} data-testid="chat-message">
			{!follows && (
				<span class="message-head">
					<strong>{entry.mine ? "You" : entry.name || "Guest"}</strong>
					<time dateTime={time.toISOString()}>
						{time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}
					</time>
				</span>
			)}
			<span class="message-text" dir="auto">
				{entry.text}
			</span>
		</li>
	);
}

function Compose({ model }: { model: CallModel }) {
	const text = useSignal("");
	const failed = useSignal(false);
	const input = useRef<HTMLInputElement>(null);
	useEffect(() => input.current?.focus(), []);
	const send = async (event: Event) => {
		event.preventDefault();
		const said = cutBytes(text.value.trim(), TEXT_BYTES);
		if (!said) return;
		text.value = "";
		failed.value = !(await model.say(said));
		// What could not be sent comes back, unless something else was typed meanwhile.
		if (failed.value && !text.value) text.value = said;
	};
	return (
		<form class="compose" onSubmit={(event) => void send(event)}>
			{failed.value && (
				<p class="compose-failed" role="alert">
					Not sent: the server is away. Try again in a moment.
				</p>
			)}
			<div class="compose-row">
				<input
					ref={input}
					data-testid="chat-input"
					aria-label="Write a message"
					placeholder="Write a message"
					autocomplete="off"
					value={text.value}
					onInput={(event) => {
						text.value = event.currentTarget.value;
					}}
					onKeyDown={(event) => {
						if (event.key === "Escape") model.toggleChat();
					}}
				/>
				<button
					type="submit"
					class="primary round"
					data-testid="chat-send"
					aria-label="Send"
					disabled={!text.value.trim()}
				>
					<SendIcon size={20} />
				</button>
			</div>
		</form>
	);
}
