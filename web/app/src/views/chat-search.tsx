import { useEffect, useRef } from "preact/hooks";
import type { ChatEntry } from "../../../sdk/src/index.js";
import type { ChatModel } from "../state/chat-model.js";
import { gistOf, timeText } from "../state/chat-words.js";
import { showMessage } from "./chat-message.js";

/** Finds messages by their words. */
export function Search({ chat }: { chat: ChatModel }) {
	const input = useRef<HTMLInputElement>(null);
	const { state, entries, more } = chat.found.value;
	useEffect(() => input.current?.focus(), []);
	const go = async ({ n }: ChatEntry) => {
		if (n !== undefined && (await chat.reveal(n))) showMessage(n);
	};
	return (
		<div class="chat-body">
			<div class="chat-search">
				<input
					ref={input}
					type="search"
					data-testid="chat-search"
					aria-label="Search the messages"
					placeholder="Words to look for"
					value={chat.query.value}
					onInput={(event) => chat.search(event.currentTarget.value)}
				/>
			</div>
			<p class="chat-note" role="status">
				{statusOf(chat)}
			</p>
			<ol class="chat-list found" aria-label="Found messages">
				{entries.map((entry) => (
					<li key={entry.key}>
						<button
							type="button"
							class="plain hit"
							data-testid="chat-hit"
							onClick={() => void go(entry)}
						>
							<span class="message-head">
								<strong>{entry.mine ? "You" : entry.name || "Guest"}</strong>
								<time dateTime={new Date(entry.time).toISOString()}>
									{timeText(entry.time, Date.now())}
								</time>
							</span>
							<span class="hit-text">{gistOf(entry)}</span>
						</button>
					</li>
				))}
				{more && state === "idle" && (
					<li>
						<button type="button" class="soft" onClick={() => chat.moreFound()}>
							Show more
						</button>
					</li>
				)}
			</ol>
		</div>
	);
}

function statusOf(chat: ChatModel): string {
	const { state, entries } = chat.found.value;
	if (state === "busy") return "Searching…";
	if (state === "failed") return "The search did not work. Try again in a moment.";
	if (!chat.query.value.trim()) return "Finds every message of this room.";
	if (entries.length === 0) return "No message has these words.";
	return entries.length === 1 ? "1 message" : `${entries.length} messages, newest first`;
}
