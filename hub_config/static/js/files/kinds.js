// What a file is, as far as its name tells, and so how it is drawn and shown.
const BY_ENDING = {
  image: "png jpg jpeg gif webp bmp avif ico",
  table: "csv tsv",
  notebook: "ipynb",
  text:
    "txt log md rst py r jl m c h cc cpp hpp cu f f90 rs go java js ts sh bash zsh toml yaml " +
    "yml json jsonl ini cfg conf xml html htm css tex bib sql out err slurm sbatch diff patch svg",
};
const KINDS = new Map(
  Object.entries(BY_ENDING).flatMap(([kind, endings]) =>
    endings.split(" ").map((ending) => [ending, kind])),
);

export function lookOf(name) {
  if (name.includes(".tfevents.")) return "events";
  const ending = /\.([^.]+)$/.exec(name)?.[1].toLowerCase() ?? "";
  return KINDS.get(ending) ?? "file";
}

// What is behind a name: where a link leads, else what it is itself.
export function behind(entry) {
  return entry.kind === "link" ? (entry.link?.to ?? "nothing") : entry.kind;
}

export function signOf(entry) {
  if (entry.kind === "link") return behind(entry) === "folder" ? "folder" : "link";
  return entry.kind === "file" ? lookOf(entry.name) : entry.kind;
}
