import { certificatesValidFrom } from "../../steps/talos/certificates";
import { talosConfigs } from "../talos-configs";

test("the certificates of a machine config are valid from when it was made", async () => {
  const begun = Math.floor(Date.now() / 1000);
  const { controlplane } = await talosConfigs();
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
