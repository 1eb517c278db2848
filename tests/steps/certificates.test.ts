import { certificatesValidFrom } from "../../steps/lib/certificates";
import { tool } from "../tools";

test("the certificates of a machine config are valid from when it was made", async () => {
  const begun = Math.floor(Date.now() / 1000);
  const options = [
    "--cluster",
    "test",
    "--endpoint",
    "https://10.10.10.100:6443",
    "--talos-version",
    "v1.11.6",
  ];
  const install = ["--install-image", "ghcr.io/siderolabs/installer:v1.11.6", "--install-disk", "/dev/vda"];
  const made = await tool("talos-config-1.11", ["generate", ...options, ...install]);
  const { controlplane } = JSON.parse(made) as { controlplane: string };
  const validFrom = certificatesValidFrom(controlplane);
  expect(validFrom).toBeGreaterThanOrEqual(begun);
  expect(validFrom).toBeLessThanOrEqual(Date.now() / 1000);
});

test.each([
  ["without certificates", "version: v1alpha1\nmachine:\n  type: worker\n"],
  ["with what is no certificate", "machine:\n  ca:\n    crt: bm8gY2VydGlmaWNhdGU=\n"],
])("a machine config %s sets no date", (_what, config) => {
  expect(certificatesValidFrom(config)).toBe(0);
});
