"""A page's "structure" (docs/formats/structure.md) as rows, and rows as columns again."""


def padded(structure, name, count):
    column = structure.get(name, [])
    return column + [0] * (count - len(column))


def rows_of(structure, texts):
    """[start, end, node, link, bold, hidden] of each line, [parent, kind, index] of each element;
    node -1: none is known."""
    lines, nodes, at, node, following = [], [], 0, 0, {}
    columns = [padded(structure, name, len(texts)) for name in ("node", "link", "bold", "hidden")]
    for text, step, link, bold, hidden in zip(texts, *columns):
        node += step
        n = len(text)
        lines.append([at, at + n, node, n if link == -1 else link, n if bold == -1 else bold, hidden])
        at += n + 1
    count = len(structure["parent"])
    columns = [padded(structure, name, count) for name in ("parent", "kind", "index")]
    for i, (back, kind, skipped) in enumerate(zip(*columns)):
        index = following.get(i - back, 0) + skipped if back else 0
        following[i - back] = index + 1 if back else 0
        nodes.append([i - back, kind, index])
    return lines, nodes


def columns_of(lines, nodes, kinds):
    """Without "text": whoever reads it compares the number of lines only."""
    steps, following, skipped = [], {}, []
    for before, row in zip([0] + [r[2] for r in lines], lines):
        steps.append(row[2] - before)
    for i, (parent, _, index) in enumerate(nodes):
        skipped.append(index - following.get(parent, 0) if i else 0)
        following[parent] = index + 1 if i else 0

    def share(row, at):
        return -1 if row[at] and row[at] == row[1] - row[0] else row[at]
    return {"node": steps, "link": [share(r, 3) for r in lines],
            "bold": [share(r, 4) for r in lines], "hidden": [r[5] for r in lines],
            "parent": [i - n[0] for i, n in enumerate(nodes)], "kind": [n[1] for n in nodes],
            "index": skipped, "kinds": kinds}
