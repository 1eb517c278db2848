import { insert, isKept, median, ratio, table, type Figure } from "../../bench/table";

const figure = (given: Partial<Figure>): Figure => ({
  what: "a change",
  unit: "s",
  here: { what: "up", values: [3, 2, 4] },
  against: { what: "empty", values: [2, 2, 1] },
  target: { kind: "at most", value: 1.5 },
  ...given,
});

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[7], 7],
])("the median of %j is %d", (values, middle) => expect(median(values)).toBe(middle));

test("a figure without runs has no median", () => expect(() => median([])).toThrow("no run"));

test("a ratio is that of the medians, its spread that of the pairs as they ran", () => {
  expect(ratio(figure({}))).toEqual({ value: 1.5, pairs: [1.5, 1, 4] });
});

test("`at least` counts how many times less it takes", () => {
  const faster = figure({
    against: { what: "packer", values: [36] },
    target: { kind: "at least", value: 12 },
  });
  expect(ratio(faster)).toEqual({ value: 12, pairs: [12] });
  expect(isKept(faster)).toBe(true);
  expect(isKept({ ...faster, target: { kind: "at least", value: 12.1 } })).toBe(false);
});

test("a target is met up to and including its value", () => {
  expect(isKept(figure({}))).toBe(true);
  expect(isKept(figure({ target: { kind: "at most", value: 1.49 } }))).toBe(false);
});

test("the table has the medians with their spread, and says which targets are missed", () => {
  const alone = figure({
    what: "size",
    unit: "MiB",
    here: { what: "image", values: [3 << 20] },
    against: undefined,
    target: { kind: "at most", value: 2 },
  });
  expect(table([figure({}), alone]).split("\n")).toEqual([
    "| what | here | against | ratio | spread | target |  |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    "| a change | up: 3.00 (2.00 to 4.00) s | empty: 2.00 (1.00 to 2.00) s | 1.50 | 1.00 to 4.00 | at most 1.5 | kept |",
    "| size | image: 3.00 MiB |  | 3.00 MiB | one run | at most 2 MiB | missed |",
  ]);
});

test("the part of the figures' page between the marks is replaced, and nothing else", () => {
  const page = "# Top\n<!-- npm run bench -->\nold\n<!-- the bench ends -->\nrest\n";
  const made = insert(page, "new");
  expect(made).toBe("# Top\n<!-- npm run bench -->\n\nnew\n\n<!-- the bench ends -->\nrest\n");
  expect(insert(made, "new")).toBe(made);
  expect(() => insert("# Top\n", "new")).toThrow("lacks");
});
