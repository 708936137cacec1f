import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { PlainWords } from "../state/plain-words.js";
import { AlertIcon, CheckIcon, CloseIcon, LinkIcon, Logo } from "./icons.js";

export function Brand() {
	return (
		<a class="brand" href="/" aria-label="Parley, start page">
			<Logo />
			<span>Parley</span>
		</a>
	);
}

interface DialogProps {
	label: string;
	testid: string;
	/** Escape and the click beside the dialog; without it the dialog stays. */
	onClose?: () => void;
	children: ComponentChildren;
}

/** The browser's own modal dialog: it traps the focus and gives it back by itself. */
export function Dialog({ label, testid, onClose, children }: DialogProps) {
	const ref = useRef<HTMLDialogElement>(null);
	useEffect(() => {
		const dialog = ref.current;
		dialog?.showModal();
		return () => {
			ref.current = null;
			dialog?.close();
		};
	}, []);
	return (
		// biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the key, and `cancel` its event.
		<dialog
			ref={ref}
			class="dialog"
			aria-label={label}
			data-testid={testid}
			// The dialog itself takes the focus: a key meant for elsewhere shall press no button.
			tabIndex={-1}
			autofocus
			onCancel={(event) => {
				event.preventDefault();
				onClose?.();
			}}
			// Browsers let nobody keep a dialog open for ever: a second Escape closes it unasked.
			onClose={() => {
				if (onClose && ref.current) onClose();
				else ref.current?.showModal();
			}}
			onClick={(event) => {
				if (event.target === ref.current) onClose?.();
			}}
		>
			<div class="dialog-body">{children}</div>
		</dialog>
	);
}

export function DialogHead({ title, onClose }: { title: string; onClose: () => void }) {
	return (
		<header class="dialog-head">
			<h2 dir="auto">{title}</h2>
			<button type="button" class="plain round" aria-label="Close" onClick={onClose}>
				<CloseIcon />
			</button>
		</header>
	);
}

interface AskTwiceProps {
	label: string;
	question: string;
	/** The word on the button that does it. */
	yes: string;
	/** `{testid}-button` asks, `{testid}-confirm` does it. */
	testid: string;
	onYes: () => void;
	/** What else is to be decided. */
	children?: ComponentChildren;
}

/** A button that asks once more: nothing of the kind shall happen by a slip of the finger. */
export function AskTwice({ label, question, yes, testid, onYes, children }: AskTwiceProps) {
	const asking = useSignal(false);
	if (!asking.value)
		return (
			<button
				type="button"
				class="soft danger-text"
				data-testid={`${testid}-button`}
				onClick={() => {
					asking.value = true;
				}}
			>
				{label}
			</button>
		);
	return (
		<form
			class="ask-twice"
			onSubmit={(event) => {
				event.preventDefault();
				asking.value = false;
				onYes();
			}}
		>
			<p role="status">{question}</p>
			{children}
			<button
				ref={focusOn}
				type="button"
				class="soft"
				onClick={() => {
					asking.value = false;
				}}
			>
				Keep
			</button>
			<button type="submit" class="primary danger" data-testid={`${testid}-confirm`}>
				{yes}
			</button>
		</form>
	);
}

/** Where the keyboard goes on when the button that was pressed is gone. */
function focusOn(element: HTMLElement | null): void {
	element?.focus();
}

interface NoticeProps {
	words: PlainWords;
	onDismiss?: () => void;
}

/** Something went wrong, and what to do about it. */
export function Notice({ words, onDismiss }: NoticeProps) {
	return (
		<div class="notice" role="alert" data-testid="error-banner">
			<AlertIcon />
			<div class="notice-text">
				<strong>{words.title}</strong>
				<span>{words.advice}</span>
				{words.link && (
					<a href={words.link.href} data-testid="secure-link">
						{words.link.label}
					</a>
				)}
			</div>
			{onDismiss && (
				<button type="button" class="plain round" aria-label="Dismiss" onClick={onDismiss}>
					<CloseIcon size={18} />
				</button>
			)}
		</div>
	);
}

const COPIED_MS = 2_000;

interface CopyButtonProps {
	text: () => string;
	label?: string;
	testid?: string;
}

/** Copies a text and says so. */
export function CopyButton({ text, label = "Copy link", testid = "copy-link" }: CopyButtonProps) {
	const copied = useSignal(false);
	const copy = async () => {
		copied.value = await copyText(text());
		setTimeout(() => {
			copied.value = false;
		}, COPIED_MS);
	};
	return (
		<button type="button" class="soft" data-testid={testid} onClick={() => void copy()}>
			{copied.value ? <CheckIcon size={18} /> : <LinkIcon size={18} />}
			<span aria-live="polite">{copied.value ? "Copied" : label}</span>
		</button>
	);
}

/** Pages that came over plain http have no clipboard; the old way still works there. */
async function copyText(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		const area = document.createElement("textarea");
		area.value = text;
		document.body.append(area);
		area.select();
		const done = document.execCommand("copy");
		area.remove();
		return done;
	}
}

export function Meter({ level, on }: { level: number; on: boolean }) {
	const style = { transform: `scaleX(${on ? level.toFixed(3) : 0})` };
	return (
		<span class="meter" data-testid="level-meter" aria-hidden="true">
			<span class="meter-fill" style={style} />
		</span>
	);
}

interface SelectProps {
	label: string;
	testid: string;
	devices: readonly MediaDeviceInfo[];
	value: string;
	empty: string;
	onChoose: (deviceId: string) => void;
}

export function DeviceSelect({ label, testid, devices, value, empty, onChoose }: SelectProps) {
	const id = `select-${testid}`;
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<select
				id={id}
				data-testid={testid}
				value={value}
				disabled={devices.length === 0}
				onChange={(event) => onChoose(event.currentTarget.value)}
			>
				{devices.length === 0 && <option value="">{empty}</option>}
				{devices.map((device, index) => (
					<option key={device.deviceId} value={device.deviceId}>
						{device.label || `${label} ${index + 1}`}
					</option>
				))}
			</select>
		</div>
	);
}
