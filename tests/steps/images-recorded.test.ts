import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { homeWithMirrors, ImageMaker, startRegistry } from "../registry";
import { HOSTS, ImageSteps, KUBELET, PROXY } from "./image-steps";
import { runStep } from "./run-step";

const steps = new ImageSteps();
const { asking, resolved, filled, refused } = steps;

test("a tag that moved is said, and the recorded digest is taken", async () => {
  const name = "ghcr.io/siderolabs/moving:v1";
  const first = await steps.maker.push(name, ["first"]);
  expect((await resolved(name)).warnings).toEqual([]);
  const second = await steps.maker.push(name, ["second"]);
  const { images, warnings } = await resolved(name);
  expect(images[0]?.digest).toBe(first.digest);
  expect(warnings).toEqual([expect.stringContaining(`has moved: it names ${second.digest} now`)]);
  await filled(images);
  rmSync(join(steps.place, "local.json"));
  expect((await resolved(name)).images[0]?.digest).toBe(second.digest);
});

test("a digest is recorded for the place that it came from, and that of the checkout counts wherever it comes from", async () => {
  const name = "ghcr.io/siderolabs/placed:v1";
  const first = await steps.maker.push(name, ["of the first place"]);
  await resolved(name);
  const record = () => JSON.parse(readFileSync(join(steps.place, "local.json"), "utf8")) as object;
  expect(record()).toEqual({ [`docker://${steps.proxy.address}/${name}`]: first.digest });
  // Another registry stands in for the same upstream.
  const other = await startRegistry(join(steps.place, "other"));
  const own = steps.env;
  try {
    steps.env = { ...steps.env, ...homeWithMirrors(join(steps.place, "home"), other.address, HOSTS) };
    const second = await new ImageMaker(steps.place, other).push(name, ["of the second place"]);
    const { images, warnings } = await resolved(name);
    expect({ digest: images[0]?.digest, warnings }).toEqual({ digest: second.digest, warnings: [] });
    expect(record()).toEqual({
      [`docker://${steps.proxy.address}/${name}`]: first.digest,
      [`docker://${other.address}/${name}`]: second.digest,
    });
    rmSync(join(steps.place, "store"), { recursive: true });
    writeFileSync(join(steps.place, "lock.json"), JSON.stringify({ [`docker://${name}`]: first.digest }));
    await refused(
      "image-digests",
      asking([name]),
      `the tag of ${name} has moved: it names ${second.digest} now, and ${join(steps.place, "lock.json")} has ${first.digest}`,
      `which ${other.address}/${name} does not have. To take the new one, remove the line of docker://${name} from`,
    );
  } finally {
    steps.env = own;
    await other.stop();
  }
  expect((await resolved(name)).images[0]?.digest).toBe(first.digest);
});

test("what was recorded and fetched is taken where no registry answers, so that an image can be made anew", async () => {
  const { images } = await resolved(KUBELET);
  await filled(images);
  rmSync(join(steps.place, "layers"), { recursive: true });
  steps.proxy.meddle = (_, response) => {
    response.destroy();
    return true;
  };
  const { manifest, said } = await runStep("image-digests", asking([KUBELET]), steps.env);
  expect(manifest).toMatchObject({ images });
  expect(said).toContain("since its registry does not answer");
  await filled(images);
  await refused("image-digests", asking([PROXY]), PROXY);
});
