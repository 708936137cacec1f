import "@fontsource-variable/figtree/index.css";
import "./styles/base.css";
import "./styles/home.css";
import "./styles/prejoin.css";
import "./styles/call.css";
import "./styles/tiles.css";
import "./styles/chat.css";
import "./styles/files.css";
import "./styles/message.css";
import "./styles/dialog.css";
import "./styles/people.css";
import "./styles/rooms.css";
import "./styles/check.css";
import { render } from "preact";
import { Router } from "./state/route.js";
import { takeToken } from "./state/token.js";
import { CheckPage } from "./views/check-page.js";
import { Home } from "./views/home.js";
import { Lost } from "./views/lost.js";
import { RoomPage } from "./views/room-page.js";

function App({ router }: { router: Router }) {
	const route = router.route.value;
	if (route.page === "home") return <Home router={router} />;
	if (route.page === "check") return <CheckPage />;
	if (route.page === "lost") return <Lost router={router} />;
	return <RoomPage room={route.room} ring={route.ring} router={router} />;
}

takeToken();
const root = document.getElementById("app");
if (root) render(<App router={new Router()} />, root);
