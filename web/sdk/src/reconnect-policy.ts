/**
 * Decides how long to wait before the next attempt to reach the server.
 *
 * ```ts
 * const everySecond: ReconnectPolicy = { nextDelay: () => 1000 };
 * const threeTimes: ReconnectPolicy = { nextDelay: (attempt) => (attempt < 3 ? 500 : undefined) };
 * ```
 */
export interface ReconnectPolicy {
	/**
	 * Milliseconds to wait before attempt number `attempt` (0 is the first after a loss);
	 * undefined gives up.
	 */
	nextDelay(attempt: number): number | undefined;
}
