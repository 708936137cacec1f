// Self-signed certificates from the openssl program, for tests of --tls.cert.
import { mkdirSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { run } from "./wait.mjs";

/** Writes NAME.crt and NAME.key; {cert, key, fingerprint} as node shows it. */
export function makeCertificate(dir, name, commonName = "localhost") {
	const cert = join(dir, `${name}.crt`);
	const key = join(dir, `${name}.key`);
	run(
		"openssl",
		"req",
		"-x509",
		"-newkey",
		"ec",
		"-pkeyopt",
		"ec_paramgen_curve:prime256v1",
		"-nodes",
		"-days",
		"30",
		"-subj",
		`/CN=${commonName}`,
		"-keyout",
		key,
		"-out",
		cert,
	);
	const line = run("openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256");
	return { cert, key, fingerprint: line.trim().split("=")[1] };
}

/** A CA, and a certificate of it for `name`: {ca, cert, key}. days: until that ends, -1: it has. */
export function makeAuthority(dir, name, { days = 30 } = {}) {
	const file = (ending) => join(dir, ending);
	const key = (to) => [
		"-newkey",
		"ec",
		"-pkeyopt",
		"ec_paramgen_curve:prime256v1",
		"-nodes",
		"-keyout",
		to,
	];
	const ca = file("ca.crt");
	run(
		"openssl",
		"req",
		"-x509",
		...key(file("ca.key")),
		"-days",
		"30",
		"-subj",
		"/CN=test CA",
		"-out",
		ca,
	);
	run(
		"openssl",
		"req",
		...key(file("server.key")),
		"-subj",
		`/CN=${name}`,
		"-out",
		file("server.csr"),
	);
	const kind = isIP(name) ? "IP" : "DNS";
	writeFileSync(file("server.ext"), `subjectAltName=${kind}:${name}\nbasicConstraints=CA:FALSE\n`);
	run(
		...["openssl", "x509", "-req", "-in", file("server.csr"), "-CA", ca, "-CAkey", file("ca.key")],
		...[
			"-CAcreateserial",
			"-days",
			String(days),
			"-extfile",
			file("server.ext"),
			"-out",
			file("server.crt"),
		],
	);
	return { ca, cert: file("server.crt"), key: file("server.key") };
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
