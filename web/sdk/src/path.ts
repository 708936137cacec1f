/** How the media of one connection travels. */
export interface Path {
	/** From host to host, through a NAT, or over a TURN server (of either side). */
	route: "direct" | "reflexive" | "relay";
	/** Towards the TURN server when it is ours, else between the two. */
	transport: "udp" | "tcp" | "tls";
	/** Seconds there and back; undefined until measured. */
	rtt: number | undefined;
	/** 0..1 of what was sent lately, the worse of both directions. */
	loss: number;
}

/** The members of stats reports that are read here (W3C WebRTC Statistics, 8.20 and 8.21). */
interface Report {
	id?: string;
	type: string;
	selectedCandidatePairId?: string;
	nominated?: boolean;
	state?: string;
	localCandidateId?: string;
	remoteCandidateId?: string;
	candidateType?: string;
	protocol?: string;
	relayProtocol?: string;
}

/** The candidate pair in use. Firefox has no transport reports; there the nominated pair must do. */
export function selectedPair<R extends Report>(reports: readonly R[]): R | undefined {
	const id = reports.find((report) => report.selectedCandidatePairId)?.selectedCandidatePairId;
	return reports.find(
		(report) =>
			report.type === "candidate-pair" &&
			(id === undefined
				? report.nominated === true && report.state === "succeeded"
				: report.id === id),
	);
}

/** Where the media goes; undefined while there is no path. */
export function routeOf(all: Iterable<Report>): Pick<Path, "route" | "transport"> | undefined {
	const reports = [...all];
	const pair = selectedPair(reports);
	const find = (id: string | undefined) => reports.find((report) => id && report.id === id);
	const local = find(pair?.localCandidateId);
	const remote = find(pair?.remoteCandidateId);
	if (!local) return undefined;
	const types = [local.candidateType, remote?.candidateType];
	const relay = types.includes("relay");
	const direct = types.every((type) => type === "host");
	return {
		route: relay ? "relay" : direct ? "direct" : "reflexive",
		transport: transportOf(local.relayProtocol ?? local.protocol),
	};
}

function transportOf(protocol: string | undefined): Path["transport"] {
	return protocol === "tcp" || protocol === "tls" ? protocol : "udp";
}
