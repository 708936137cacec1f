import type { ComponentChildren } from "preact";
import type { ChatEntry, Person } from "../../../sdk/src/index.js";
import type { ChatModel } from "../state/chat-model.js";
import { gistOf, readersText, timeText } from "../state/chat-words.js";
import { Files } from "./chat-files.js";
import { ClockIcon, DotsIcon, ReplyIcon } from "./icons.js";

const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

interface MessageProps {
	chat: ChatModel;
	people: readonly Person[];
	entry: ChatEntry;
	/** The message above is of the same person: no second head. */
	follows: boolean;
	/** Its actions are shown. */
	open: boolean;
	last: boolean;
	onOpen: (open: boolean) => void;
}

/** One message with what belongs to it. */
export function Message({ chat, people, entry, follows, open, last, onOpen }: MessageProps) {
	const classes = ["message", entry.mine && "mine", entry.state, entry.deleted && "deleted"];
	const usable = entry.state === "sent" && !entry.deleted;
	return (
		<li
			class={classes.filter(Boolean).join(" ")}
			data-testid="chat-message"
			data-n={entry.n}
			data-state={entry.state}
		>
			{!follows && <Head entry={entry} />}
			<Answered chat={chat} entry={entry} />
			<div class="message-row">
				<div class="message-body">
					{(entry.deleted || entry.text || entry.files.length === 0) && (
						<div class="message-text" dir="auto">
							{entry.deleted ? <em>Message deleted</em> : entry.text}
							{entry.edited && !entry.deleted && <span class="message-edited"> (edited)</span>}
						</div>
					)}
					{entry.files.length > 0 && <Files chat={chat} files={entry.files} />}
				</div>
				{usable && (
					<button
						type="button"
						class="plain message-more"
						aria-label={`Actions for: ${gistOf(entry)}`}
						aria-expanded={open}
						tabIndex={last || open ? 0 : -1}
						onClick={() => onOpen(!open)}
						onKeyDown={(event) => {
							if (event.key === "Escape" && open) {
								event.stopPropagation();
								onOpen(false);
							}
						}}
					>
						<DotsIcon size={18} />
					</button>
				)}
			</div>
			<Reactions chat={chat} people={people} entry={entry} />
			<Fate chat={chat} entry={entry} />
			{open && usable && <Actions chat={chat} entry={entry} onDone={() => onOpen(false)} />}
		</li>
	);
}

function Head({ entry }: { entry: ChatEntry }) {
	return (
		<span class="message-head">
			<strong dir="auto">{entry.mine ? "You" : entry.name || "Guest"}</strong>
			{entry.to !== undefined && <span class="message-private">only to you two</span>}
			<time dateTime={new Date(entry.time).toISOString()}>{timeText(entry.time, Date.now())}</time>
		</span>
	);
}

function Answered({ chat, entry }: { chat: ChatModel; entry: ChatEntry }) {
	if (entry.reply === undefined || entry.deleted) return null;
	const { reply } = entry;
	const answered = chat.answered(entry);
	const go = async () => {
		if (await chat.reveal(reply)) showMessage(reply);
	};
	return (
		<button type="button" class="message-quote" onClick={() => void go()}>
			<ReplyIcon size={15} />
			<span dir="auto">
				{answered
					? `${answered.mine ? "You" : answered.name}: ${gistOf(answered)}`
					: "An earlier message"}
			</span>
		</button>
	);
}

/** Scrolls a message into view and marks it for a moment. */
export function showMessage(n: number): void {
	requestAnimationFrame(() => {
		const element = document.querySelector(`[data-testid="chat-message"][data-n="${n}"]`);
		element?.scrollIntoView({ block: "center" });
		element?.classList.add("shown");
		setTimeout(() => element?.classList.remove("shown"), 2_000);
	});
}

function Reactions({ chat, people, entry }: Pick<MessageProps, "chat" | "people" | "entry">) {
	const all = Object.entries(entry.reactions);
	if (all.length === 0) return null;
	const own = chat.reader.value;
	return (
		<div class="reactions">
			{all.map(([emoji, readers]) => {
				const names = readersText(readers, own, people, chat.entries.value);
				return (
					<button
						key={emoji}
						type="button"
						class="reaction"
						data-testid="reaction"
						aria-pressed={own !== undefined && readers.includes(own)}
						aria-label={`${emoji} ${readers.length}: ${names}`}
						title={names}
						onClick={() => chat.react(entry, emoji)}
					>
						{emoji} <span>{readers.length}</span>
					</button>
				);
			})}
		</div>
	);
}

/** What becomes of a message that the server does not have yet. */
function Fate({ chat, entry }: { chat: ChatModel; entry: ChatEntry }) {
	if (entry.state === "pending") {
		return (
			<span class="message-fate" data-testid="chat-pending">
				<ClockIcon size={14} /> Waiting to be sent
			</span>
		);
	}
	if (entry.state !== "failed") return null;
	return (
		<span class="message-fate failed" data-testid="chat-failed">
			Not sent
			<LinkButton onPress={() => chat.retry(entry)}>Try again</LinkButton>
			<LinkButton onPress={() => chat.discard(entry)}>Discard</LinkButton>
		</span>
	);
}

function LinkButton(props: { onPress: () => void; children: ComponentChildren }) {
	return (
		<button type="button" class="link" onClick={props.onPress}>
			{props.children}
		</button>
	);
}

interface ActionsProps {
	chat: ChatModel;
	entry: ChatEntry;
	onDone: () => void;
}

function Actions({ chat, entry, onDone }: ActionsProps) {
	const doing = (action: () => void) => () => {
		onDone();
		action();
	};
	const role = chat.room.self?.role;
	const mayRemove = entry.owned || role === "owner" || role === "moderator";
	return (
		<fieldset
			class="message-actions"
			data-testid="message-actions"
			aria-label="Message actions"
			onKeyDown={(event) => {
				if (event.key !== "Escape") return;
				event.stopPropagation();
				onDone();
			}}
		>
			{EMOJI.map((emoji) => (
				<button
					key={emoji}
					type="button"
					class="plain emoji"
					aria-label={`React with ${emoji}`}
					onClick={doing(() => chat.react(entry, emoji))}
				>
					{emoji}
				</button>
			))}
			<button type="button" class="plain" onClick={doing(() => chat.startReply(entry))}>
				Reply
			</button>
			{entry.owned && (
				<button type="button" class="plain" onClick={doing(() => chat.startEdit(entry))}>
					Edit
				</button>
			)}
			{mayRemove && (
				<button type="button" class="plain danger-text" onClick={doing(() => chat.remove(entry))}>
					Delete
				</button>
			)}
		</fieldset>
	);
}
