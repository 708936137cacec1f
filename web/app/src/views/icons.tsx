import type { ComponentChildren } from "preact";

/** Line icons on a 24 grid. They are decoration: the button beside them has the words. */
function Icon({ children, size = 22 }: { children: ComponentChildren; size?: number }) {
	return (
		<svg
			class="icon"
			width={size}
			height={size}
			viewBox="0 0 24 24"
			fill="none"
			stroke="currentColor"
			stroke-width="1.8"
			stroke-linecap="round"
			stroke-linejoin="round"
			aria-hidden="true"
			focusable="false"
		>
			{children}
		</svg>
	);
}

interface IconProps {
	size?: number;
}

const SLASH = <path d="M4 4l16 16" />;

export function AttachIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M20 11.5l-8.2 8.2a5 5 0 0 1-7.1-7.1l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4l7.6-7.6" />
		</Icon>
	);
}

export function FileIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M6 3h8l5 5v13H6z" />
			<path d="M14 3v5h5" />
		</Icon>
	);
}

export function MicIcon(props: IconProps & { off?: boolean }) {
	return (
		<Icon {...props}>
			<rect x="9" y="3" width="6" height="11" rx="3" />
			<path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
			{props.off && SLASH}
		</Icon>
	);
}

export function CameraIcon(props: IconProps & { off?: boolean }) {
	return (
		<Icon {...props}>
			<rect x="3" y="6.5" width="12" height="11" rx="2.5" />
			<path d="M15 10.8l4.6-2.6a.9.9 0 0 1 1.4.8v6a.9.9 0 0 1-1.4.8L15 13.2" />
			{props.off && SLASH}
		</Icon>
	);
}

export function ScreenIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<rect x="3" y="4" width="18" height="12.5" rx="2.5" />
			<path d="M9 20.5h6M12 13.5v-6m-2.8 2.6L12 7.3l2.8 2.8" />
		</Icon>
	);
}

export function HandIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M8 12.5V6a1.5 1.5 0 0 1 3 0m0 5V4.5a1.5 1.5 0 0 1 3 0V11m0-4.5a1.5 1.5 0 0 1 3 0v8A6.5 6.5 0 0 1 10.5 21c-2.2 0-3.6-.9-4.8-2.7l-2.3-3.7a1.5 1.5 0 0 1 2.5-1.7L8 15.5" />
		</Icon>
	);
}

export function ChatIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M4 7.5A3.5 3.5 0 0 1 7.5 4h9A3.5 3.5 0 0 1 20 7.5v5a3.5 3.5 0 0 1-3.5 3.5H11l-4.5 4v-4.1A3.5 3.5 0 0 1 4 12.5z" />
			<path d="M8.5 8.7h7M8.5 11.8h4" />
		</Icon>
	);
}

export function SettingsIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M4 7h9M19 7h1M4 17h1M11 17h9" />
			<circle cx="16" cy="7" r="2.6" />
			<circle cx="8" cy="17" r="2.6" />
		</Icon>
	);
}

export function HangUpIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M3.2 14.3c-.5-4 4-6.3 8.8-6.3s9.3 2.3 8.8 6.3c-.1 1-.9 1.5-1.8 1.3l-2.7-.6c-.8-.2-1.3-.8-1.3-1.6v-1.3c-2-.6-4-.6-6 0v1.3c0 .8-.5 1.4-1.3 1.6l-2.7.6c-.9.2-1.7-.3-1.8-1.3z" />
		</Icon>
	);
}

export function PhoneIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M6.2 3.7l2-.5c.7-.2 1.3.1 1.6.7l1.2 2.7c.2.6.1 1.2-.4 1.6L9.1 9.6c1 2.2 2.8 4 5.1 5.2l1.5-1.5c.4-.5 1-.6 1.6-.3l2.7 1.2c.6.3.9.9.7 1.6l-.5 2c-.3 1.3-1.4 2.1-2.7 2C10.5 19.2 4.8 13.5 4.2 6.4c-.1-1.3.7-2.4 2-2.7z" />
		</Icon>
	);
}

export function LinkIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1" />
		</Icon>
	);
}

export function CheckIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M5 12.5l4.5 4.5L19 7.5" />
		</Icon>
	);
}

export function CloseIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M6 6l12 12M18 6L6 18" />
		</Icon>
	);
}

export function SendIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M12 19V5m-6 6l6-6 6 6" />
		</Icon>
	);
}

export function SearchIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<circle cx="11" cy="11" r="6.5" />
			<path d="M16 16l4.5 4.5" />
		</Icon>
	);
}

export function PeopleIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<circle cx="9" cy="8.5" r="3.5" />
			<path d="M2.8 19.5a6.3 6.3 0 0 1 12.4 0M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.6 14.2a6.3 6.3 0 0 1 3.6 5.3" />
		</Icon>
	);
}

export function PersonIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<circle cx="12" cy="8" r="4" />
			<path d="M4.5 20a7.5 7.5 0 0 1 15 0" />
		</Icon>
	);
}

export function LockIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
			<path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" />
		</Icon>
	);
}

export function DotsIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="2.6" />
		</Icon>
	);
}

export function ReplyIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M10 5.5L4 11l6 5.5V13c5 0 8 1.6 10 5 0-6-3.5-9.5-10-9.5z" />
		</Icon>
	);
}

export function ClockIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<circle cx="12" cy="12" r="8.5" />
			<path d="M12 7.5V12l3 2" />
		</Icon>
	);
}

export function DownIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M12 5v13m-5.5-5.5L12 18l5.5-5.5" />
		</Icon>
	);
}

export function RoomsIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M4 20V6.5L11 4v16M11 8h8.5v12M2.5 20h19M8 12v.01M15 12h.01M15 15.5h.01" />
		</Icon>
	);
}

export function ShuffleIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M19.5 12a7.5 7.5 0 0 1-13.3 4.7M4.5 12a7.5 7.5 0 0 1 13.3-4.7M18.3 3.5v4h-4M5.7 20.5v-4h4" />
		</Icon>
	);
}

export function BellIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5a2.2 2.2 0 0 0 4 0" />
		</Icon>
	);
}

export function AlertIcon(props: IconProps) {
	return (
		<Icon {...props}>
			<circle cx="12" cy="12" r="8.5" />
			<path d="M12 8v4.8M12 16v.01" />
		</Icon>
	);
}

const BARS = { good: 3, fair: 2, poor: 1, lost: 0 } as const;

/** Three bars; how many are filled says how good the path is. */
export function BarsIcon({ quality }: { quality: keyof typeof BARS }) {
	const filled = BARS[quality];
	return (
		<svg class="bars" width="16" height="14" viewBox="0 0 16 14" aria-hidden="true">
			{[0, 1, 2].map((bar) => (
				<rect
					key={bar}
					x={bar * 5.5 + 0.5}
					y={9 - bar * 4}
					width="4"
					height={5 + bar * 4}
					rx="1.3"
					class={bar < filled ? "bar-on" : "bar-off"}
				/>
			))}
		</svg>
	);
}

export function Logo({ size = 30 }: { size?: number }) {
	return (
		<svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" class="logo">
			<rect width="32" height="32" rx="9.5" class="logo-ground" />
			<path
				d="M7.5 11A3.5 3.5 0 0 1 11 7.5h6.5A3.5 3.5 0 0 1 21 11v3a3.5 3.5 0 0 1-3.5 3.5h-4.2l-3.8 3.2v-3.3a3.5 3.5 0 0 1-2-3.4z"
				class="logo-near"
			/>
			<path
				d="M23.2 13.3a3.4 3.4 0 0 1 1.8 3v2.5a3.4 3.4 0 0 1-1.5 2.8v3l-3.4-2.9h-3.9a3.4 3.4 0 0 1-2.8-1.5h4.3a5.3 5.3 0 0 0 5.5-5.3z"
				class="logo-far"
			/>
		</svg>
	);
}
