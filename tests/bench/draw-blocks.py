#!/usr/bin/python3
"""Draws the blocks of a PDF's pages over their pictures, numbered in the order of reading, to be looked at.

Usage: draw-blocks.py [--ctl build/app/lecternctl] [--dpi 60] [--pages 1,3-5] [--sheet OUT.png] OUTDIR FILE...
Each page becomes OUTDIR/NAME-PAGE.png; with --sheet they are put side by side in one picture. Needs pdftoppm and PIL."""
import argparse, json, os, re, subprocess, sys, tempfile
from PIL import Image, ImageDraw, ImageFont

COLOURS = {"heading": (200, 0, 0), "paragraph": (0, 80, 200), "list item": (0, 130, 60), "table row": (180, 0, 180),
           "code": (120, 90, 0), "caption": (230, 110, 0)}


def wanted_pages(text, n):
    if not text:
        return list(range(1, n + 1))
    pages = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        pages += range(int(first), int(last or first) + 1)
    return [p for p in pages if p <= n]


def draw(path, page, blocks, dpi, folder):
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["pdftoppm", "-r", str(dpi), "-f", str(page), "-l", str(page), "-png", "-cropbox", path,
                        scratch + "/p"], check=True, stderr=subprocess.DEVNULL)
        image = Image.open(os.path.join(scratch, os.listdir(scratch)[0])).convert("RGB")
    pen, scale, font = ImageDraw.Draw(image), dpi / 72, ImageFont.load_default()
    last = None
    for number, block in enumerate(blocks, 1):
        boxes = [(r["x"] * scale, r["y"] * scale, (r["x"] + r["width"]) * scale, (r["y"] + r["height"]) * scale)
                 for r in block["rects"] if r["page"] == page]
        if not boxes:
            continue
        colour = COLOURS.get(block["kind"], (0, 0, 0))
        for b in boxes:
            pen.rectangle(b, outline=colour)
        x, y = boxes[0][0], boxes[0][1]
        if last:
            pen.line((last[0], last[1], x, y), fill=(255, 160, 160))
        label = str(number)
        width = 6 * len(label) + 2
        pen.rectangle((x - width, y - 1, x, y + 10), fill=(255, 255, 160))
        pen.text((x - width + 1, y - 1), label, fill=colour, font=font)
        last = (boxes[-1][2], boxes[-1][3])
    name = re.sub(r"\W+", "_", os.path.basename(path)[:-4]) + f"-{page}.png"
    image.save(os.path.join(folder, name))
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ctl", default="build/app/lecternctl")
    parser.add_argument("--dpi", type=int, default=60)
    parser.add_argument("--pages")
    parser.add_argument("--sheet")
    parser.add_argument("folder")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    images = []
    for path in options.files:
        done = subprocess.run([options.ctl, "extract", "--json", path], capture_output=True)
        if done.returncode:
            print(f"{path}: {done.stderr.decode(errors='replace').strip()}", file=sys.stderr)
            continue
        extraction = json.loads(done.stdout)
        for page in wanted_pages(options.pages, extraction["pages"]):
            on_page = [b for b in extraction["blocks"] if any(r["page"] == page for r in b["rects"])]
            images.append(draw(path, page, on_page, options.dpi, options.folder))
    if options.sheet and images:
        sheet = Image.new("RGB", (sum(i.width for i in images) + 4 * len(images), max(i.height for i in images)))
        x = 0
        for image in images:
            sheet.paste(image, (x, 0))
            x += image.width + 4
        sheet.save(options.sheet)


if __name__ == "__main__":
    main()
