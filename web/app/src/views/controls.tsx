import type { ComponentChildren } from "preact";
import { canShareScreen } from "../../../sdk/src/index.js";
import type { CallModel } from "../state/call-model.js";
import {
	CameraIcon,
	ChatIcon,
	HandIcon,
	HangUpIcon,
	MicIcon,
	ScreenIcon,
	SettingsIcon,
} from "./icons.js";

interface ControlProps {
	testid: string;
	/** Stays the same; whether it is on, `pressed` says. */
	label: string;
	/** For the eyes: what a press would do now. */
	hint?: string;
	shortcut?: string;
	pressed?: boolean;
	tone?: "off" | "on" | "danger";
	disabled?: boolean;
	badge?: number;
	onPress: () => void;
	children: ComponentChildren;
}

function Control({
	testid,
	label,
	hint = label,
	shortcut,
	pressed,
	tone,
	disabled,
	badge,
	onPress,
	children,
}: ControlProps) {
	return (
		<button
			type="button"
			class={tone ? `control ${tone}` : "control"}
			data-testid={testid}
			aria-label={label}
			aria-pressed={pressed}
			aria-keyshortcuts={shortcut}
			title={shortcut ? `${hint} (${shortcut})` : hint}
			disabled={disabled}
			onClick={onPress}
		>
			{children}
			{badge ? (
				<span class="badge" data-testid="chat-unread">
					{badge > 9 ? "9+" : badge}
				</span>
			) : null}
		</button>
	);
}

interface ControlsProps {
	model: CallModel;
	onSettings: () => void;
	onLeave: () => void;
}

/** The bar below the pictures. */
export function Controls({ model, onSettings, onLeave }: ControlsProps) {
	const { media } = model;
	const mic = media.micOn.value;
	const camera = media.cameraOn.value;
	const screen = media.screenOn.value;
	const listener = model.self.value?.role === "listener";
	const muted = model.self.value?.state.muted === true;
	return (
		<section class="controls" aria-label="Call controls">
			<Control
				testid="mute-button"
				label="Mute"
				hint={muted ? "Muted by somebody who looks after the room" : mic ? "Mute" : "Unmute"}
				shortcut="M"
				pressed={!mic}
				disabled={listener || muted}
				{...(mic ? {} : { tone: "off" as const })}
				onPress={() => void media.toggleMic()}
			>
				<MicIcon off={!mic} />
			</Control>
			<Control
				testid="camera-button"
				label="Camera off"
				hint={camera ? "Switch the camera off" : "Switch the camera on"}
				shortcut="V"
				pressed={!camera}
				disabled={listener}
				{...(camera ? {} : { tone: "off" as const })}
				onPress={() => void media.toggleCamera()}
			>
				<CameraIcon off={!camera} />
			</Control>
			{canShareScreen() && (
				<Control
					testid="screen-button"
					label="Share the screen"
					hint={screen ? "Stop sharing the screen" : "Share the screen"}
					shortcut="S"
					pressed={screen}
					disabled={listener}
					{...(screen ? { tone: "on" as const } : {})}
					onPress={() => void media.toggleScreen()}
				>
					<ScreenIcon />
				</Control>
			)}
			<Control
				testid="hand-button"
				label="Raise your hand"
				hint={model.hand.value ? "Lower your hand" : "Raise your hand"}
				shortcut="H"
				pressed={model.hand.value}
				{...(model.hand.value ? { tone: "on" as const } : {})}
				onPress={() => model.toggleHand()}
			>
				<HandIcon />
			</Control>
			<Control
				testid="chat-button"
				label="Chat"
				hint={model.chat.open.value ? "Close the chat" : "Open the chat"}
				shortcut="C"
				pressed={model.chat.open.value}
				badge={model.chat.unread.value}
				{...(model.chat.open.value ? { tone: "on" as const } : {})}
				onPress={() => model.chat.toggle()}
			>
				<ChatIcon />
			</Control>
			<Control
				testid="settings-button"
				label="Devices and shortcuts"
				shortcut="?"
				onPress={onSettings}
			>
				<SettingsIcon />
			</Control>
			<Control testid="leave-button" label="Leave" tone="danger" onPress={onLeave}>
				<HangUpIcon />
			</Control>
		</section>
	);
}
