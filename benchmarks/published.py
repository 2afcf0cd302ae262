"""Published multi-task tables, each in its own protocol and in a clean one.

- `a`: the first implementation of ESMM and MMoE on one table, Adult;
- `b`: Tables 1 and 2 of the MMoE paper, Census-Income (KDD);
- `c`: torch-rechub's example, Census-Income (KDD);
- `protocols`: the same models in one protocol after another, on the same test rows.

What each source did is told in `docs/benchmarks.md`. Some of them let test rows decide
when to stop, or fit encoders on them. That is reproduced here as it was, beside a
protocol that does not; nothing in this package was chosen by these figures.

Run `python benchmarks/published.py --rows 3000 --seeds 1` to see that it works: it
reads the training files only and writes no report.
"""

import argparse
from dataclasses import replace
from functools import partial

import pandas as pd
from _published import (
    Model,
    Protocol,
    Study,
    beside,
    by_protocol,
    halve,
    spread,
    unit_range,
)
from _recipes import PLAIN
from _report import markdown_table, write_report

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.datasets import load_adult, load_census_income

GROUPS = {1: ("income", "never_married"), 2: ("college", "never_married")}

# What the sources print: AUC of the main task and of the other one.
FIRST = {"ESMM": ("0.902", "0.962"), "MMoE": ("0.896", "0.961")}
PAPER_MEAN = {
    1: {
        "single task": ("0.9337", "0.9922"),
        "shared bottom": ("0.9295", "0.9921"),
        "OMoE": ("0.9319", "0.9923"),
        "MMoE": ("0.9359", "0.9927"),
    },
    2: {
        "single task": ("0.8792", "0.9922"),
        "shared bottom": ("0.8813", "0.9917"),
        "OMoE": ("0.8813", "0.9912"),
        "MMoE": ("0.8826", "0.9924"),
    },
}
PAPER_BEST = {
    1: {
        "single task": ("0.9398", "0.9933"),
        "shared bottom": ("0.9361", "0.9915"),
        "OMoE": ("0.9387", "0.9928"),
        "MMoE": ("0.9410", "0.9926"),
        "PLE": ("0.9522", "0.9945"),
    },
    2: {
        "single task": ("0.8843", "0.9933"),
        "shared bottom": ("0.8836", "0.9927"),
        "OMoE": ("0.8852", "0.9915"),
        "MMoE": ("0.8860", "0.9932"),
    },
}
RECHUB = {
    "shared bottom": ("0.9560", "0.9948"),
    "MMoE": ("0.9579", "0.9950"),
    "AITM, its best": ("0.9595", "0.9951"),
}

FIRST_SIZES = {
    **PLAIN,
    "optimizer": "adam",
    "batch_norm": True,
    "embedding_dim": 64,
    "tower_hidden_sizes": (128, 64),
    "dropout": 0.5,
    "lr": 0.01,
    "weight_decay": 0.0,
    "batch_size": 64,
    "max_epochs": 20,
}
THREE_EXPERTS = {"n_experts": 3, "expert_hidden_sizes": (128,)}
RECHUB_SIZES = {
    **PLAIN,
    "optimizer": "adam",
    "batch_norm": True,
    "embedding_dim": 4,
    "tower_hidden_sizes": (8,),
    "dropout": 0.0,
    "lr": 1e-3,
    "weight_decay": 1e-4,
    "batch_size": 1024,
    "max_epochs": 100,
}
RECHUB_EXPERTS = {
    "shared bottom": {"n_experts": 1, "expert_hidden_sizes": (117,)},
    "MMoE": {"n_experts": 8, "expert_hidden_sizes": (16,)},
}
INDEPENDENT = {"structure": "independent"}
# One expert, as wide as all those of the default together.
ONE_EXPERT = {
    "n_experts": 1,
    "expert_hidden_sizes": tuple(
        MMOEClassifier.n_experts * size for size in MMOEClassifier.expert_hidden_sizes
    ),
}
ESMM = Model("ESMM", "defaults", ESMMClassifier, INDEPENDENT)
MMOE = Model("MMoE", "defaults", MMOEClassifier)
SHARED_BOTTOM = Model("shared bottom", "defaults", MMOEClassifier, ONE_EXPERT)
SINGLE_TASK = Model("single task", "defaults", MMOEClassifier, ONE_EXPERT, joint=False)

NOTES = {
    "a": (
        "Adult, test AUC on the official test file. `its own` protocol: encoders and "
        "scaling from both files, the loss on the test file decides when to stop. "
        "`clean`: encoders from the training rows, a tenth of which decides when to "
        "stop."
    ),
    "b": (
        "Census-Income (KDD), test AUC on a random half of the official test file; the "
        "other half decides when to stop, by the main task's AUC. The paper's protocol "
        "leaves education and marital status out of the features. Its columns: the "
        "mean of 400 runs, and the run with the best main task; PLE: from the paper on "
        "PLE, which names the same setup."
    ),
    "c": (
        "Census-Income (KDD), income and never married, test AUC on a half of the "
        "official test file, drawn with equal shares of income. `its own` protocol: "
        "encoders and scaling from all rows, the AUC of income on the other half "
        "decides, with a patience of 30 epochs. `clean`: encoders from "
        "the training rows, a tenth of which decides when to stop."
    ),
    "protocols": (
        "Test AUC on one half of the official test file, the same rows in every line "
        "of a table. Each protocol differs in one thing from the second line."
    ),
}


def part_a(study):
    """The first implementation's table on Adult."""
    its_esmm = {**FIRST_SIZES, **INDEPENDENT}
    its_mmoe = {**FIRST_SIZES, **THREE_EXPERTS}
    models = [
        Model("ESMM", "its own", ESMMClassifier, its_esmm, unit_range),
        ESMM,
        Model("MMoE", "its own", MMOEClassifier, its_mmoe, unit_range),
        MMOE,
    ]
    train, test = study.load(load_adult)
    own = Protocol(
        "its own",
        train,
        test,
        valid=test,
        encoded=pd.concat([train.X, test.X]),
        selection={"n_iter_no_change": 4, "tol": 0.0},
    )
    runs = study.run("Adult", models, [own, Protocol("clean", train, test)])
    return beside(runs, {"published": FIRST}, list(train.y)), NOTES["a"]


def part_b(study):
    """Tables 1 and 2 of the MMoE paper."""
    frames = []
    for group, tasks in GROUPS.items():
        train, rest = study.load(load_census_income, tasks=tasks)
        valid, test = halve(rest)
        own = Protocol("its own", train, test, valid, by_main_task=True)
        protocols = [own]
        if "education" in train.X:
            kept = replace(own, name="education kept")
            protocols = [own.without(["education"]), kept]
        models = [SINGLE_TASK, SHARED_BOTTOM, MMOE]
        runs = study.run(f"KDD {group}", models, protocols)
        published = {"its mean": PAPER_MEAN[group], "its best run": PAPER_BEST[group]}
        frame = beside(runs, published, list(tasks))
        frame.columns = [name.replace(tasks[0], "main task") for name in frame]
        frame.insert(0, "group", f"{group}, {tasks[0]}")
        frames.append(frame)
    return pd.concat(frames), NOTES["b"]


def part_c(study):
    """torch-rechub's table on Census-Income (KDD)."""
    numbers = partial(unit_range, decimals=4)
    models = [
        Model(name, "its own", MMOEClassifier, {**RECHUB_SIZES, **sizes}, numbers)
        for name, sizes in RECHUB_EXPERTS.items()
    ]
    train, rest = study.load(load_census_income)
    valid, test = halve(rest, stratify=True)
    own = Protocol(
        "its own",
        train,
        test,
        valid=valid,
        encoded=pd.concat([train.X, rest.X]),
        by_main_task=True,
        selection={"n_iter_no_change": 30, "tol": 0.0},
    )
    clean = Protocol("clean", train, test)
    runs = study.run("KDD 1", [*models, MMOE], [own, clean])
    return beside(runs, {"published": RECHUB}, list(train.y)), NOTES["c"]


def part_protocols(study):
    """The same models in one protocol after another, on the same test rows."""
    frames, notes = [], [NOTES["protocols"]]
    for data, loader in (("Adult", load_adult), ("KDD 1", load_census_income)):
        protocols = make_variants(*study.load(loader))
        tasks = list(protocols[0].train.y)
        if data == "KDD 1":
            without = protocols[1].without(["education"])
            protocols.insert(2, replace(without, name="the same, without education"))
        runs = study.run(data, [MMOE, SHARED_BOTTOM, ESMM], protocols)
        frame = by_protocol(runs, tasks, best_of=protocols[-1].name)
        frame.insert(0, "data", data)
        frames.append(frame)
        notes.append(spread(data, runs, tasks))
    return pd.concat(frames), " ".join(notes)


def make_variants(train, rest):
    """Return protocols that differ in one thing from the second of them."""
    valid, test = halve(rest, stratify=True)
    half = Protocol("half of the test file validates", train, test, valid=valid)
    every = pd.concat([train.X, rest.X])
    return [
        replace(half, name="clean: a tenth of the training file validates", valid=None),
        half,
        replace(half, name="the same, by the main task's AUC", by_main_task=True),
        replace(half, name="the same, encoders see all rows", encoded=every),
        replace(half, name="the test rows validate", valid=test),
    ]


PARTS = {"a": part_a, "b": part_b, "c": part_c, "protocols": part_protocols}


def main(parts, study):
    for part in parts:
        frame, notes = PARTS[part](study)
        title = PARTS[part].__doc__.rstrip(".")
        if study.n_rows is not None:
            print(title, markdown_table(frame), notes, sep="\n\n", flush=True)
            continue
        notes += f" Mean ± standard deviation over {study.n_seeds} seeds."
        write_report(f"published_{part}", title, frame, notes=notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, help="a try-out on so many training rows")
    arguments = parser.parse_args()
    main(arguments.parts, Study(arguments.seeds, arguments.rows))
