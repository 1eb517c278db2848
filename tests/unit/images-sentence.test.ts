import { imagesSentence } from "../../components/images-sentence";

const image = (reference: string, bytes?: number, isHere = false) => ({ reference, bytes, isHere });

test("how many, how large, and which are new", () => {
  expect(imagesSentence([image("a:v1", 3 << 20, true), image("b:v1", 5 << 20)])).toBe(
    "The appliance serves 2 images, 8 MiB at most, since some share their layers. To be fetched:\n  b:v1",
  );
  expect(imagesSentence([image("a:v1", 1, true)])).toBe(
    "The appliance serves 1 image, 1 MiB at most, since some share their layers. All have been fetched here before.",
  );
  expect(imagesSentence([image("a:v1")])).toBe(
    "The appliance serves 1 image, whose sizes up asks of their registries. To be fetched:\n  a:v1",
  );
});
