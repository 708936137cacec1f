export interface Grid {
	columns: number;
	rows: number;
}

// Faces look right between 4:3 and 16:9; a phone held upright may go down to a square.
const IDEAL = 1.5;

/** The grid of `count` tiles in which the pictures lose least of the room. */
export function bestGrid(count: number, width: number, height: number): Grid {
	let best: Grid = { columns: 1, rows: Math.max(1, count) };
	let bestArea = 0;
	for (let columns = 1; columns <= count; columns++) {
		const rows = Math.ceil(count / columns);
		const area = shownArea(width / columns, height / rows);
		if (area > bestArea) {
			bestArea = area;
			best = { columns, rows };
		}
	}
	return best;
}

/** The part of a cell that a picture of the ideal form would cover. */
function shownArea(width: number, height: number): number {
	const shown = Math.min(width, height * IDEAL);
	return (shown * shown) / IDEAL;
}
