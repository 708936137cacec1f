// What holds with SQLite holds with PostgreSQL: the tests of all that is kept, once more.
import { after } from "node:test";
import { startPostgres } from "./lib/postgres.mjs";
import { everyServerHas } from "./lib/server.mjs";

const FILES = ["chat", "coworking_rest", "files", "kept_rooms", "restart", "retention", "socketio_restart"];

const postgres = await startPostgres(after);
everyServerHas((dir) => postgres.args(dir));

for (const name of FILES) await import(`./${name}.test.mjs`);
