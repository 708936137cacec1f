import { useSignal } from "@preact/signals";
import { Fragment, type RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ChatEntry, Person } from "../../../sdk/src/index.js";
import type { ChatModel } from "../state/chat-model.js";
import { dayText } from "../state/chat-words.js";
import { Message } from "./chat-message.js";
import { DownIcon } from "./icons.js";

const CLOSE_MS = 120_000;
// So near to an end counts as at the end.
const NEAR_PX = 80;

interface MessageListProps {
	chat: ChatModel;
	people: readonly Person[];
}

/** The messages: stays at the newest while one is there, and loads older ones at the other end. */
export function MessageList({ chat, people }: MessageListProps) {
	const entries = chat.entries.value;
	const { list, atEnd, handleScroll, toEnd } = useScroll(chat, entries);
	const open = useSignal<string>();
	const moveFocus = useArrows(list);
	return (
		<div class="chat-body">
			<div
				class="chat-list"
				ref={list}
				role="log"
				aria-label="Messages"
				aria-live={chat.older.value === "busy" ? "off" : "polite"}
				onScroll={handleScroll}
				onKeyDown={moveFocus}
			>
				<ol class="chat-messages">
					<Beginning chat={chat} empty={entries.length === 0} />
					{entries.map((entry, index) => (
						<Fragment key={entry.key}>
							<Divider chat={chat} entry={entry} before={entries[index - 1]} />
							<Message
								chat={chat}
								people={people}
								entry={entry}
								follows={follows(entries[index - 1], entry)}
								open={open.value === entry.key}
								last={index === entries.length - 1}
								onOpen={(on) => {
									open.value = on ? entry.key : undefined;
								}}
							/>
						</Fragment>
					))}
				</ol>
			</div>
			{!atEnd && (
				<button type="button" class="to-end soft" data-testid="chat-to-end" onClick={toEnd}>
					<DownIcon size={18} />
					{chat.unread.value > 0 ? "New messages" : "To the newest"}
				</button>
			)}
			<p class="chat-typing" data-testid="chat-typing">
				{chat.typing.value}
			</p>
		</div>
	);
}

/** Messages of one person in a row have one head. */
function follows(before: ChatEntry | undefined, entry: ChatEntry): boolean {
	return (
		before !== undefined &&
		before.mine === entry.mine &&
		before.name === entry.name &&
		entry.reply === undefined &&
		entry.time - before.time < CLOSE_MS
	);
}

function Beginning({ chat, empty }: { chat: ChatModel; empty: boolean }) {
	if (chat.older.value === "busy") {
		return (
			<li class="chat-note" role="status">
				<span class="spinner" aria-hidden="true" /> Loading older messages
			</li>
		);
	}
	if (chat.older.value === "failed") {
		return (
			<li class="chat-note">
				Older messages could not be loaded.{" "}
				<button type="button" class="link" onClick={() => void chat.loadOlder()}>
					Try again
				</button>
			</li>
		);
	}
	if (empty) return <li class="chat-empty">Nothing has been written yet.</li>;
	return chat.hasOlder.value ? null : (
		<li class="chat-note" data-testid="chat-beginning">
			Here the chat begins.
		</li>
	);
}

function Divider(props: { chat: ChatModel; entry: ChatEntry; before: ChatEntry | undefined }) {
	const { chat, entry, before } = props;
	const day = dayText(entry.time, Date.now());
	const newDay = before === undefined || dayText(before.time, Date.now()) !== day;
	return (
		<>
			{newDay && <li class="chat-day">{day}</li>}
			{chat.firstUnread.value === entry.key && (
				<li class="chat-new" data-testid="chat-new">
					New
				</li>
			)}
		</>
	);
}

function useScroll(chat: ChatModel, entries: readonly ChatEntry[]) {
	const list = useRef<HTMLDivElement>(null);
	const atEnd = useSignal(true);
	const height = useRef(0);
	const first = entries[0]?.key;
	const last = entries.at(-1);
	const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });

	// Older messages grow the list above: what one reads stays where it is.
	useLayoutEffect(() => {
		const element = list.current;
		if (!element) return;
		if (!atEnd.value) element.scrollTop += element.scrollHeight - height.current;
		height.current = element.scrollHeight;
	}, [first]);
	useLayoutEffect(() => {
		if (atEnd.value || last?.mine) toEnd();
		if (list.current) height.current = list.current.scrollHeight;
	}, [last?.key, entries.length]);
	// A keyboard that comes up, or a phone that is turned, takes away of the list's end.
	useEffect(() => {
		const element = list.current;
		if (!element) return;
		const observer = new ResizeObserver(() => {
			if (atEnd.peek()) toEnd();
		});
		observer.observe(element);
		return () => observer.disconnect();
	}, []);
	// A list that does not fill its place cannot be scrolled: older messages come by themselves.
	useEffect(() => {
		const element = list.current;
		const idle = chat.older.value === "idle" && chat.hasOlder.value;
		if (element && idle && element.scrollHeight <= element.clientHeight) void chat.loadOlder();
	}, [entries.length, chat.older.value]);

	const handleScroll = () => {
		const element = list.current;
		if (!element) return;
		height.current = element.scrollHeight;
		const below = element.scrollHeight - element.clientHeight - element.scrollTop;
		atEnd.value = below < NEAR_PX;
		if (atEnd.value) chat.markRead();
		if (element.scrollTop < NEAR_PX && chat.older.value === "idle") void chat.loadOlder();
	};
	return { list, atEnd: atEnd.value, handleScroll, toEnd };
}

/** One stop for the Tab key; arrows go from message to message. */
function useArrows(list: RefObject<HTMLDivElement>) {
	return (event: KeyboardEvent) => {
		const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
		if (step === 0 || !list.current) return;
		const buttons = [...list.current.querySelectorAll<HTMLElement>(".message-more")];
		const at = buttons.indexOf(document.activeElement as HTMLElement);
		const next = at < 0 ? undefined : buttons[at + step];
		if (!next) return;
		event.preventDefault();
		next.focus();
	};
}
