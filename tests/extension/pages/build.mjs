// Builds every fixture page into OUTDIR: `node build.mjs OUTDIR` gives <site id>.js and <site id>.css each, and
// sites.json, the rows of the extension's `sites.ts`, whose selectors the tests use.

import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const extension = join(here, "../../../extension");
const { build } = createRequire(join(extension, "package.json"))("esbuild");

const outdir = process.argv[2];
if (!outdir) throw new Error("Say where to: node build.mjs OUTDIR");

await build({
  entryPoints: readdirSync(here)
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => ({ in: join(here, name), out: basename(name).replace(/\.tsx?$/, "") })),
  outdir,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome120", "firefox128"],
  nodePaths: [join(extension, "node_modules")],
  tsconfigRaw: { compilerOptions: { jsx: "react-jsx" } },
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});

const rows = join(outdir, "sites.mjs");
await build({ entryPoints: [join(extension, "src/sites.ts")], outfile: rows, bundle: true, format: "esm" });
const { SITES } = await import(pathToFileURL(rows));
writeFileSync(join(outdir, "sites.json"), JSON.stringify(SITES));
rmSync(rows);
