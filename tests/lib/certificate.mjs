// Self-signed certificates from the openssl program, for tests of --tls.cert.
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
