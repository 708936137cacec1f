import type { Router } from "../state/route.js";
import { SearchIcon } from "./icons.js";
import { Brand } from "./parts.js";

/** An address that leads nowhere. */
export function Lost({ router }: { router: Router }) {
	return (
		<div class="ended">
			<header class="home-head">
				<Brand />
			</header>
			<main class="waiting" data-testid="lost">
				<div class="ringing">
					<span class="ended-sign">
						<SearchIcon size={34} />
					</span>
					<div>
						<h1>There is no such page</h1>
						<p>
							Rooms have addresses that end in <code>/r/</code> and their name. Perhaps a part of
							the link was lost on its way.
						</p>
					</div>
					<div class="row">
						<button
							type="button"
							class="primary"
							data-testid="home-button"
							onClick={() => router.go({ page: "home" })}
						>
							To the start page
						</button>
					</div>
				</div>
			</main>
		</div>
	);
}
