// Self-signed certificates from the openssl program, for tests of --tls.cert.
import { mkdirSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { run } from "./wait.mjs";

const openssl = (...args) => run("openssl", ...args);

/** Arguments: a new key, into that file. */
const newKey = (file) => {
	const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
	return [...curve, "-nodes", "-keyout", file];
};

/** Arguments of `openssl req`: that name, for 30 days, signed by itself. */
const selfSigned = (name) => ["-x509", "-days", "30", "-subj", `/CN=${name}`];

/** Writes NAME.crt and NAME.key; {cert, key, fingerprint} as node shows it. */
export function makeCertificate(dir, name, commonName = "localhost") {
	const cert = join(dir, `${name}.crt`);
	const key = join(dir, `${name}.key`);
	openssl("req", ...selfSigned(commonName), ...newKey(key), "-out", cert);
	const line = openssl("x509", "-in", cert, "-noout", "-fingerprint", "-sha256");
	return { cert, key, fingerprint: line.trim().split("=")[1] };
}

/** A CA, and a certificate of it for `name`: {ca, cert, key}. days: until that ends, -1: it has. */
export function makeAuthority(dir, name, { days = 30 } = {}) {
	const file = (ending) => join(dir, ending);
	const [ca, caKey] = [file("ca.crt"), file("ca.key")];
	const [cert, key, request] = [file("server.crt"), file("server.key"), file("server.csr")];
	openssl("req", ...selfSigned("test CA"), ...newKey(caKey), "-out", ca);
	openssl("req", ...newKey(key), "-subj", `/CN=${name}`, "-out", request);
	const kind = isIP(name) ? "IP" : "DNS";
	const extensions = file("server.ext");
	writeFileSync(extensions, `subjectAltName=${kind}:${name}\nbasicConstraints=CA:FALSE\n`);
	const signer = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial"];
	const made = ["-days", String(days), "-extfile", extensions, "-out", cert];
	openssl("x509", "-req", "-in", request, ...signer, ...made);
	return { ca, cert, key };
}

/** A home directory whose browser trusts a CA (certutil of Debian's libnss3-tools), and a certificate of that for `name`:
 * {cert, key}. */
export function trustedHome(home, name) {
	const { ca, ...made } = makeAuthority(home, name);
	const store = join(home, ".pki/nssdb");
	mkdirSync(store, { recursive: true });
	run("certutil", "-d", `sql:${store}`, "-N", "--empty-password");
	run("certutil", "-d", `sql:${store}`, "-A", "-t", "C,,", "-n", "test CA", "-i", ca);
	return made;
}
