/** From chatty to grave. `info` is one line per change that an operator would care about. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line of the log. Never a token, a secret or what people write to each other. */
export interface LogLine {
	level: LogLevel;
	/** Which part speaks: `connection`, `room`, `chat`, `peer`. */
	module: string;
	/** What happened, in one or two words. */
	event: string;
	fields: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Takes the lines; give one as `log` in ConnectionOptions. */
export type Logger = (line: LogLine) => void;

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/**
 * Writes to the console what is at least as grave as `least`.
 *
 * ```ts
 * const connection = new Connection({ url: "wss://example.org/v1/connect", log: consoleLogger("debug") });
 * ```
 */
export function consoleLogger(least: LogLevel = "info"): Logger {
	return ({ level, module, event, fields }) => {
		if (ORDER.indexOf(level) >= ORDER.indexOf(least)) {
			console[level](`[parley] ${module}: ${event}`, fields);
		}
	};
}
