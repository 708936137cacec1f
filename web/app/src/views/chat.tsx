import type { CallModel } from "../state/call-model.js";
import type { ChatModel, ChatView } from "../state/chat-model.js";
import { Compose } from "./chat-compose.js";
import { MessageList } from "./chat-list.js";
import { People } from "./chat-people.js";
import { Search } from "./chat-search.js";
import { ChatIcon, CloseIcon, PeopleIcon, SearchIcon } from "./icons.js";

const VIEWS = [
	{ view: "messages", label: "Messages", testid: "chat-messages-tab", Icon: ChatIcon },
	{ view: "search", label: "Search", testid: "chat-search-tab", Icon: SearchIcon },
	{ view: "people", label: "Who was here", testid: "chat-people-tab", Icon: PeopleIcon },
] as const;

/** The text chat of the room, at the side. */
export function Chat({ model }: { model: CallModel }) {
	const { chat } = model;
	return (
		<aside class="chat" aria-label="Chat" data-testid="chat-panel">
			<header class="chat-head">
				<h2>{titleOf(chat.view.value)}</h2>
				<ChatTabs chat={chat} />
				<button
					type="button"
					class="plain round"
					aria-label="Close the chat"
					onClick={() => chat.toggle()}
				>
					<CloseIcon />
				</button>
			</header>
			{chat.view.value === "search" ? (
				<Search chat={chat} />
			) : chat.view.value === "people" ? (
				<People chat={chat} />
			) : (
				<>
					{model.volatile.value && (
						<p class="chat-volatile" data-testid="chat-volatile">
							This server keeps no messages. They are gone when everybody has left.
						</p>
					)}
					<MessageList chat={chat} people={model.session.room.presence.people} />
					<Compose chat={chat} away={model.connection.value.state !== "open"} />
				</>
			)}
		</aside>
	);
}

function titleOf(view: ChatView): string {
	return view === "messages" ? "Chat" : view === "search" ? "Search" : "Who was here";
}

function ChatTabs({ chat }: { chat: ChatModel }) {
	return (
		<nav class="chat-tabs" aria-label="Chat views">
			{VIEWS.map(({ view, label, testid, Icon }) => (
				<button
					key={view}
					type="button"
					class="plain round"
					data-testid={testid}
					aria-label={label}
					aria-current={chat.view.value === view}
					title={label}
					onClick={() => chat.show(view)}
				>
					<Icon size={20} />
				</button>
			))}
		</nav>
	);
}
