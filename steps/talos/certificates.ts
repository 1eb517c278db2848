import { X509Certificate } from "node:crypto";

/** A certificate as Talos's configs carry it: PEM in base64, under `crt`. */
const CERTIFICATE = /^[\s-]*crt:\s*["']?([A-Za-z0-9+/=]+)["']?\s*$/gm;

/** The moment from which all certificates of a machine config are valid, in Unix seconds; 0 when it has none. */
export function certificatesValidFrom(machineConfig: string): number {
  const starts = [...machineConfig.matchAll(CERTIFICATE)].map(([, base64 = ""]) => {
    try {
      return Date.parse(new X509Certificate(Buffer.from(base64, "base64")).validFrom) / 1000;
    } catch {
      // What is no certificate sets no date; whether the config is whole was checked before.
      return 0;
    }
  });
  return Math.max(0, ...starts);
}
