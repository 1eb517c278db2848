import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedImage } from "../../steps/contracts/image";
import { toolEnvironment } from "../tools";
import { ImageSteps, KUBELET } from "./image-steps";
import { runStep } from "./run-step";

const steps = new ImageSteps();
const { asking, filling, resolved, refused } = steps;

test("credentials come from the user's own auth file, and are told nowhere", async () => {
  const [user, password] = ["somebody", "of-the-registry"];
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  steps.proxy.meddle = (request, response) => {
    if (request.headers.authorization === `Basic ${auth}`) return false;
    response.writeHead(401, { "www-authenticate": 'Basic realm="test"' });
    response.end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] }));
    return true;
  };
  await refused(
    "image-digests",
    asking([KUBELET]),
    `asking for the image ${KUBELET}`,
    "(401)",
    "skopeo login",
  );
  const file = join(steps.place, "auth.json");
  writeFileSync(file, JSON.stringify({ auths: { [steps.proxy.address]: { auth } } }));
  const withAuth = { ...steps.env, REGISTRY_AUTH_FILE: file };
  const { manifest, said } = await runStep("image-digests", asking([KUBELET]), withAuth);
  const { images } = manifest as unknown as { images: ServedImage[] };
  const fill = await runStep("images", filling(images), withAuth);
  expect(fill.manifest).toBeDefined();
  for (const text of [said, fill.said, JSON.stringify(fill.manifest)]) expect(text).not.toContain(password);
});

test("a credential helper is given what it reads of the environment, and no passphrase and no key of sops", async () => {
  const [bin, said] = [join(steps.place, "bin"), join(steps.place, "helper-env")];
  const config = join(steps.place, "auth.json");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "docker-credential-said"),
    `#!/bin/sh\nenv >${said}\ncat >/dev/null\necho '{"Username":"u","Secret":"s"}'\n`,
    { mode: 0o755 },
  );
  writeFileSync(config, JSON.stringify({ credHelpers: { [steps.proxy.address]: "said" } }));
  const secrets = { AWS_SECRET_ACCESS_KEY: "a", GOOGLE_APPLICATION_CREDENTIALS: "/g", GITHUB_TOKEN: "t" };
  const kept = { PULUMI_CONFIG_PASSPHRASE: "p", SOPS_AGE_KEY: "k", IDRIVE_SECRET_KEY: "i" };
  const asked = {
    ...steps.env,
    ...secrets,
    ...kept,
    REGISTRY_AUTH_FILE: config,
    PATH: `${bin}:${toolEnvironment.PATH}`,
  };
  const { images } = await resolved(KUBELET);
  const { manifest } = await runStep("images", filling(images), asked);
  expect(manifest).toBeDefined();
  const given = readFileSync(said, "utf8").split("\n");
  for (const [name, value] of Object.entries(secrets)) expect(given).toContain(`${name}=${value}`);
  for (const name of Object.keys(kept)) expect(given.join()).not.toContain(name);
});
