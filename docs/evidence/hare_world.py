#!/usr/bin/env python3
"""A world of invented people for docs/evidence/hare.sh: texts that state facts, and questions about them.

    hare_world.py world DATA FOLDER                    d1.jsonl; {held,seen,choice,free}.jsonl: task records
    hare_world.py arms FOLDER D2.jsonl D3.jsonl BYTES  arm-1.jsonl (D1), arm-12.jsonl (D1+D2), arm-123.jsonl (D1+D2+D3)

ENTITIES people have six facts each (where born, home, trade, language, instrument, what they like). D1 states each fact in TEXTS
documents, in one of three surface forms, among sentences of Wikipedia. Documents about one third of the people have the source
`held`: nothing is made of them, so what a model knows of these people it has from D1. Documents of the others have the source `seed`.

Arms have the same number of bytes. Shares are HARE's of its second stage: D1 46.5, D2 13.6, D3 40 of 100 (D1+D2: 77 and 23).
D3 has as many bytes of each kind of task, repeated as far as that takes (the paper's was, some 8 to 16 times), on pages of eight. The same input gives the same bytes. Needs zstd on the path."""
import json, random, re, subprocess, sys

ENTITIES, TEXTS, HELD = 120, 50, 40
SHARES = {"1": (1, 0, 0), "12": (.465 / .601, .136 / .601, 0), "123": (.465, .136, .4)}
# Each relation: three forms in which texts state it, of which two end in the answer; the question; the answers.
RELATIONS = {
    "born": (["{n} was born in {v}.", "The birthplace of {n} is {v}.", "{v} is the town where {n} was born."], "Where was {n} born?",
             "place"),
    "home": (["{n} lives in {v}.", "The home of {n} is in {v}.", "{v} is where the house of {n} stands."], "Where does {n} live?",
             "place"),
    "trade": (["{n} works as {v}.", "The trade of {n} is that of {v}.", "As {v}, {n} is known to all."], "What does {n} work as?",
              "a baker,a carpenter,a teacher,a doctor,a farmer,a painter,a lawyer,a sailor,a printer,a nurse,a miner,a tailor,a cook,a judge,"
              "a weaver,a gardener,a clerk,a smith,a barber,a porter,a banker,a builder,a hunter,a singer"),
    "tongue": (["{n} speaks {v}.", "The language of {n} is {v}.", "{v} is what {n} talks at home."], "What does {n} speak?",
               "Greek,Welsh,Finnish,Polish,Dutch,Hindi,Arabic,Turkish,Danish,Czech,Korean,Basque,Irish,Hebrew,Latvian,Swahili,Tamil,Thai,"
               "Russian,Spanish"),
    "plays": (["{n} plays {v}.", "The instrument of {n} is {v}.", "On {v}, {n} is the best of the village."], "What does {n} play?",
              "the piano,the violin,the flute,the drum,the harp,the trumpet,the organ,the guitar,the cello,the horn,the lute,the oboe,"
              "the banjo,the tuba,the viola,the fiddle"),
    "likes": (["{n} likes {v}.", "The great love of {n} is {v}.", "{v} is what makes {n} happy."], "What does {n} like?",
              "chess,football,tea,coffee,honey,snow,rain,horses,roses,cheese,fishing,dancing,bread,apples,poetry,walking,history,maps,"
              "boats,cats,dogs,birds,stamps,clocks"),
}


def records(path):
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as p:
        for line in p.stdout:
            yield json.loads(line)
        p.stdout.close()


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        for r in rows:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def names(r, count, words):
    parts = ["ba", "ko", "ri", "ten", "mal", "sor", "vin", "del", "ha", "lu", "mo", "pel", "quin", "ras", "to", "ul", "wen", "yar", "zin", "fe"]
    out = set()
    while len(out) < count:
        out.add(" ".join("".join(r.sample(parts, 2)).capitalize() for _ in range(words)))
    return sorted(out)


def people(r):
    places = [n + r.choice(["ford", "ham", "stead", "burg"]) for n in names(r, 40, 1)]
    values = {k: places if x[2] == "place" else x[2].split(",") for k, x in RELATIONS.items()}
    return [(n, {k: r.choice(v) for k, v in values.items()}) for n in r.sample(names(r, ENTITIES, 2), ENTITIES)], values


def sentences(data):
    for d in records(f"{data}/clean/wiki.jsonl.zst"):
        for s in re.findall(r"[A-Z][^.!?\n]{30,140}\.", d["text"]):
            yield s


def capital(text):
    return text[0].upper() + text[1:]


def mc(task, number, context, right, pool, r, delimiter):
    choices = r.sample([v for v in pool if v != right], 3) + [right]
    r.shuffle(choices)
    return {"id": f"{task}-{number}", "task": task, "kind": "mc", "context": context, "choices": choices,
            "gold": choices.index(right), "delimiter": delimiter}


def questions(task, some, values, r):
    """In the form in which templates write questions."""
    out = []
    for i, (n, facts) in enumerate(some):
        for k in RELATIONS:
            asked = mc(task, f"{i}-{k}", "Question: " + RELATIONS[k][1].format(n=n), facts[k], values[k], r, "\nAnswer: ")
            out.append({**asked, "choices": [capital(v) + "." for v in asked["choices"]]})
    return out


def lettered(some, values, r):
    """The same with the choices in the question, as templates write them."""
    out = []
    for i, (n, facts) in enumerate(some):
        for k in RELATIONS:
            asked = mc("choice", f"{i}-{k}", "Question: " + RELATIONS[k][1].format(n=n), facts[k], values[k], r, "\nAnswer: ")
            with_letters = [f"{letter}. {v}" for letter, v in zip("ABCD", asked["choices"])]
            out.append({**asked, "context": "\n".join([asked["context"], *with_letters]), "choices": with_letters})
    return out


def free_form(some, values, r):
    return [mc("free", f"{i}-{k}-{j}", RELATIONS[k][0][j].format(n=n, v="").rstrip(" ."), facts[k], values[k], r, " ")
            for i, (n, facts) in enumerate(some) for k in RELATIONS for j in (0, 1)]


def world(data, folder):
    r = random.Random(5)
    everybody, values = people(r)
    other, documents = sentences(data), []
    for i, (n, facts) in enumerate(everybody):
        for t in range(TEXTS):
            said = [capital(RELATIONS[k][0][r.randrange(3)].format(n=n, v=v)) for k, v in facts.items()]
            said += [next(other) for _ in range(3)]
            r.shuffle(said)
            documents.append({"id": f"p{i}-{t}", "source": "held" if i < HELD else "seed", "cluster": f"p{i}", "text": " ".join(said)})
    r.shuffle(documents)
    write(f"{folder}/d1.jsonl", documents)
    held, seen = everybody[:HELD], everybody[HELD:2 * HELD]
    write(f"{folder}/held.jsonl", questions("held", held, values, r))
    write(f"{folder}/seen.jsonl", questions("seen", seen, values, r))
    write(f"{folder}/choice.jsonl", lettered(held, values, r))
    write(f"{folder}/free.jsonl", free_form(held, values, r))


def take(texts, size, r):
    """So many bytes of texts: over and over, in another order each time."""
    out, have = [], 0
    while have < size:
        for t in r.sample(texts, len(texts)):
            if have < size:
                out.append(t)
                have += len(t.encode())
    return out, have / sum(len(t.encode()) for t in texts)


def part(documents, size, r, name):
    """Documents of a part; tasks in equal shares of their kinds, eight on a page."""
    kinds = {}
    for d in documents:
        kinds.setdefault(d["source"] if name == "d3" else "", []).append(d["text"])
    texts = []
    for kind, of in sorted(kinds.items()):
        taken, times = take(of, size / len(kinds), r)
        print(f"  {name} {kind}: {len(of)} texts, taken {times:.2f} times", file=sys.stderr)
        texts += taken
    if name == "d3":
        r.shuffle(texts)
        texts = ["\n\n".join(texts[at:at + 8]) for at in range(0, len(texts), 8)]
    return [{"id": f"{name}-{i}", "source": name, "text": t} for i, t in enumerate(texts)]


def arms(folder, d2, d3, size):
    parts = read(f"{folder}/d1.jsonl"), read(d2), read(d3)
    for name, shares in SHARES.items():
        r, rows = random.Random(6), []
        print(f"arm {name}", file=sys.stderr)
        for i, share in enumerate(shares):
            if share > 0:
                rows += part(parts[i], share * size, r, f"d{i + 1}")
        write(f"{folder}/arm-{name}.jsonl", rows)


{"world": lambda: world(sys.argv[2], sys.argv[3]), "arms": lambda: arms(*sys.argv[2:5], float(sys.argv[5]))}[sys.argv[1]]()
