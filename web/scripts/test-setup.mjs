// Node 18 has the Web Crypto API, but not as a global as browsers do.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
