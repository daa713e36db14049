// Bundles the libraries of package-lock.json into static/vendor, where pages import them; `--check`: that they are those.
//
// Only libraries: the pages' own modules are served as they stand here, and running Satchel needs no Node.js.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

const BUNDLES = {
  preact: `
    import { h } from "preact";
    import htm from "htm";
    export const html = htm.bind(h);
    export { Fragment, createContext, createRef, h, render } from "preact";
    export { useCallback, useContext, useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState }
      from "preact/hooks";
  `,
  d3: `
    export { extent, max, sum } from "d3-array";
    export { scaleBand, scaleLinear, scaleOrdinal, scaleSqrt, scaleTime } from "d3-scale";
    export { timeFormat } from "d3-time-format";
  `,
};

async function bundle(source) {
  const { metafile, outputFiles } = await build({
    stdin: { contents: source, resolveDir: here },
    bundle: true,
    format: "esm",
    legalComments: "none",
    metafile: true,
    minify: true,
    target: "es2022",
    write: false,
  });
  const uses = new Set(Object.keys(metafile.inputs).flatMap((path) => path.match(/node_modules\/([^/]+)/)?.slice(1) ?? []));
  const licences = await Promise.all([...uses].sort().map(async (name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const text = await readFile(join(folder, "LICENSE"), "utf8");
    return `${name} ${version}, ${license}\n\n${text.trim()}`;
  }));
  return `/*\n${licences.join("\n\n\n").replaceAll("*/", "* /")}\n*/\n${outputFiles[0].text}`;
}

const check = process.argv.includes("--check");
await mkdir(join(here, "static/vendor"), { recursive: true });
for (const [name, source] of Object.entries(BUNDLES)) {
  const file = join(here, "static/vendor", `${name}.js`);
  const made = await bundle(source);
  if (!check) {
    await writeFile(file, made);
  } else if (made !== await readFile(file, "utf8").catch(() => "")) {
    console.error(`${file} is not what package-lock.json makes of it: npm run build`);
    process.exitCode = 1;
  }
}
