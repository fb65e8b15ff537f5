#!/usr/bin/env python3
"""Writes the documents of this folder whose XML stands here: `make.py` in this folder. Those called real-* were saved by
LibreOffice 7.4 and are kept as they came. The same input gives the same bytes."""
import io
import struct
import zipfile

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
STRICT_W = 'xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def pack(name, files, stored=("mimetype",)):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_STORED if path in stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    with open(name, "wb") as out:
        out.write(data.getvalue())


def relations(*items, base=OFFICE):
    rows = "".join(f'<Relationship Id="rId{i + 1}" Type="{base}/{kind}" Target="{target}"/>' for i, (kind, target) in enumerate(items))
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'


def types(part, content):
    return ('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.{content}.main+xml"/></Types>')


CORE = ('<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
        '<dc:title>{}</dc:title><dc:creator>Ada Example</dc:creator><dcterms:created>2020-01-02T03:04:05Z</dcterms:created>'
        '<dcterms:modified>2024-05-01T10:00:00Z</dcterms:modified></cp:coreProperties>')


def p(text, style=None, properties=""):
    style = f'<w:pStyle w:val="{style}"/>' if style else ""
    runs = text if text.startswith("<") else f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'
    return f"<w:p><w:pPr>{style}{properties}</w:pPr>{runs}</w:p>"


def r(text, properties=""):
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def item(text, number, level=0):
    return p(text, None, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def row(*cells, header=False):
    mark = "<w:trPr><w:tblHeader/></w:trPr>" if header else ""
    return f"<w:tr>{mark}" + "".join(c if c.startswith("<w:tc>") else f"<w:tc>{p(c)}</w:tc>" for c in cells) + "</w:tr>"


STYLES = f'''<w:styles {W}><w:docDefaults><w:rPrDefault><w:rPr><w:lang w:val="de-DE"/></w:rPr></w:rPrDefault></w:docDefaults>
<w:style w:type="paragraph" w:default="1" w:styleId="Standard"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/><w:basedOn w:val="Standard"/>
  <w:pPr><w:numPr><w:numId w:val="3"/></w:numPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="berschrift2"><w:name w:val="heading 2"/><w:basedOn w:val="berschrift1"/>
  <w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Eigen"><w:name w:val="Abschnitt"/><w:basedOn w:val="berschrift2"/></w:style>
<w:style w:type="paragraph" w:styleId="Loop1"><w:name w:val="Loop"/><w:basedOn w:val="Loop2"/></w:style>
<w:style w:type="paragraph" w:styleId="Loop2"><w:name w:val="Loop"/><w:basedOn w:val="Loop1"/></w:style>
<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="Beschriftung"><w:name w:val="caption"/></w:style>
<w:style w:type="paragraph" w:styleId="Verzeichnis1"><w:name w:val="toc 1"/></w:style>
<w:style w:type="paragraph" w:styleId="Quelltext"><w:name w:val="HTML Preformatted"/></w:style>
<w:style w:type="character" w:styleId="Verborgen"><w:name w:val="Verborgen"/><w:rPr><w:vanish/></w:rPr></w:style></w:styles>'''
NUMBERING = f'''<w:numbering {W}>
<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/><w:lvlText w:val="&#xF0B7;"/></w:lvl>
  <w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/><w:lvlText w:val="o"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
  <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%2)"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="2"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1"/></w:lvl>
  <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="2"/></w:num></w:numbering>'''
NOTES = (f'<w:footnotes {W}><w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>'
         f'<w:footnote w:id="2">{p("Measured at 20 degrees.")}{p("Twice.")}</w:footnote></w:footnotes>')
COMMENTS = f'<w:comments {W}><w:comment w:id="0" w:author="Bob">{p("Is that so?")}</w:comment></w:comments>'
BOX = ('<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
       f'<mc:Choice Requires="wps"><w:drawing><wps:txbx xmlns:wps="wps"><w:txbxContent>{p("In the box.")}</w:txbxContent></wps:txbx></w:drawing></mc:Choice>'
       f'<mc:Fallback><w:pict><w:txbxContent>{p("In the box.")}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>')
FIELD = ('<w:r><w:t>See page </w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> PAGEREF x </w:instrText></w:r>'
         '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>7</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>')
BODY = "".join([
    p("Pumps in winter", "Titel"), p("Care\t3", "Verzeichnis1"), p("Care", "berschrift1"),
    p(r("Clean it") + r(" secret", "<w:vanish/>") + r(" hidden", '<w:rStyle w:val="Verborgen"/>') + r(" shown", '<w:vanish w:val="0"/>')
      + '<w:del><w:r><w:delText> removed</w:delText></w:r></w:del><w:ins><w:r><w:t xml:space="preserve"> added</w:t></w:r></w:ins>'
      + '<w:r><w:footnoteReference w:id="2"/></w:r>' + r(" weekly.") + '<w:r><w:commentReference w:id="0"/></w:r>'),
    p(BOX + r("Beside the box.")), p(FIELD), p("Winter", "berschrift2"), p("Own style", "Eigen"), p("In a circle", "Loop1"),
    item("left screw", 1), item("its washer", 1, 1), item("third", 2), item("a", 2, 1), item("b", 2, 1), item("fourth", 2),
    p("Table 1: Torques", "Beschriftung"),
    "<w:tbl>" + row("Bolt", "Torque", "Tool", header=True)
    + row("<w:tc><w:tcPr><w:vMerge w:val=\"restart\"/></w:tcPr>" + p("M6") + "</w:tc>", "10 Nm", "key")
    + row("<w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc>", "12 Nm", "<w:tc>" + p("two") + p("keys") + "</w:tc>")
    + row("<w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>" + p("All others") + "</w:tc>", "hand") + "</w:tbl>",
    "<w:tbl>" + row("<w:tc>" + p("A frame of one cell") + p("with two paragraphs.") + "</w:tc>") + "</w:tbl>",
    p("pump --clean", "Quelltext"), p("  --gently", "Quelltext"), p("The end", "berschrift1"), p("Bye.")])


def docx(name, body, w=W, core="Winter care", extra=None):
    files = {
        "[Content_Types].xml": types("word/document.xml", "wordprocessingml.document"),
        "_rels/.rels": relations(("officeDocument", "word/document.xml"), ("core-properties", "docProps/core.xml")),
        "docProps/core.xml": CORE.format(core),
        "word/_rels/document.xml.rels": relations(("styles", "styles.xml"), ("numbering", "numbering.xml"), ("footnotes", "footnotes.xml"),
                                                  ("comments", "comments.xml"), ("header", "header1.xml"), ("hyperlink", "/word/x")),
        "word/document.xml": f"<w:document {w}><w:body>{body}<w:sectPr/></w:body></w:document>",
        "word/styles.xml": STYLES, "word/numbering.xml": NUMBERING, "word/footnotes.xml": NOTES, "word/comments.xml": COMMENTS,
        "word/header1.xml": f"<w:hdr {W}>{p('Example Ltd, internal')}</w:hdr>",
    }
    files.update(extra or {})
    pack(name, files)


docx("full.docx", BODY)
docx("strict.docx", p("Care", "berschrift1") + p("Read all the same."), w=STRICT_W, core="Microsoft Word - care.doc")
docx("broken-xml.docx", "".join(p(f"Line {n} before the damage.") for n in range(24)) + "<w:p><w:r><w:t>never</w:q>", core="")
docx("attributes.docx", "".join(p(f"Line {n}.") for n in range(24)) + "<w:p " + " ".join(f'a{n}="x"' for n in range(5000)) + "/>", core="")
docx("deep.docx", p("At the top.") + "<w:tbl><w:tr><w:tc>" * 200 + p("At the bottom.") + "</w:tc></w:tr></w:tbl>" * 200, core="")
docx("entities.docx", "", core="", extra={"word/document.xml": (
    '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e SYSTEM "file:///etc/hostname">]>'
    f'<w:document {W}><w:body>{p("Before &d; and &e; after.")}</w:body></w:document>')})
pack("nothing-main.docx", {"[Content_Types].xml": types("word/document.xml", "wordprocessingml.document"),
                           "_rels/.rels": relations(("officeDocument", "word/document.xml"))})

# ---- slides

def shape(kind, *paragraphs, name=""):
    role = f'<p:ph type="{kind}"/>' if kind else ""
    text = "".join(t if t.startswith("<a:p>") else f"<a:p><a:r><a:t>{t}</a:t></a:r></a:p>" for t in paragraphs)
    return (f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="x"{name}/><p:nvPr>{role}</p:nvPr></p:nvSpPr><p:txBody>{text}</p:txBody></p:sp>')


def slide(content, attributes=""):
    return f"<p:sld {P} {A} {R}{attributes}><p:cSld><p:spTree>{content}</p:spTree></p:cSld></p:sld>"


CELL = "<a:tc><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
GRID = "".join("<a:tr>" + "".join(CELL.format(c) for c in cells) + "</a:tr>" for cells in [("Bolt", "Torque"), ("M6", "10 Nm"), ("M8", "25 Nm")])
pack("slides.pptx", {
    "[Content_Types].xml": types("ppt/presentation.xml", "presentationml.presentation"),
    "_rels/.rels": relations(("officeDocument", "ppt/presentation.xml"), ("core-properties", "docProps/core.xml")),
    "docProps/core.xml": CORE.format("PowerPoint Presentation"),
    "ppt/presentation.xml": f'<p:presentation {P} {R}><p:sldIdLst><p:sldId id="256" r:id="rId2"/><p:sldId id="257" r:id="rId1"/><p:sldId id="258" r:id="rId3"/></p:sldIdLst></p:presentation>',
    "ppt/_rels/presentation.xml.rels": relations(("slide", "slides/slide1.xml"), ("slide", "slides/slide2.xml"), ("slide", "slides/slide3.xml")),
    "ppt/slides/slide1.xml": slide(shape("body", "Never shown"), ' show="0"'),
    "ppt/slides/slide2.xml": slide(
        shape("body", "Drain the water", '<a:p><a:pPr lvl="1"/><a:r><a:t>all of it</a:t></a:r></a:p>', '<a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>No bullet.</a:t></a:r></a:p>')
        + shape("title", "Before the frost") + shape("sldNum", "1") + shape("", "Beside it", name=' descr="A pump with its lid open"')),
    "ppt/slides/_rels/slide2.xml.rels": relations(("notesSlide", "../notesSlides/notesSlide1.xml")),
    "ppt/notesSlides/notesSlide1.xml": f"<p:notes {P} {A}><p:cSld><p:spTree>{shape('body', 'Tell the story.', 'Briefly.')}{shape('sldNum', '1')}</p:spTree></p:cSld></p:notes>",
    "ppt/slides/slide3.xml": slide(shape("title", "Torques") + f"<p:graphicFrame><a:graphic><a:graphicData><a:tbl>{GRID}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"),
})

ODF = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{u}:1.0"' for n, u in [
    ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("style", "style"), ("presentation", "presentation"),
    ("svg", "svg-compatible"), ("meta", "meta")]) + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'


def odf(name, kind, styles, body, manifest=""):
    pack(name, {"mimetype": f"application/vnd.oasis.opendocument.{kind}",
                "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{manifest}</manifest:manifest>',
                "meta.xml": f"<office:document-meta {ODF}><office:meta><dc:title>Winter</dc:title><dc:creator>Bob</dc:creator><dc:date>2024-05-01T10:00:00</dc:date></office:meta></office:document-meta>",
                "styles.xml": f'<office:document-styles {ODF}><office:styles><text:outline-style><text:outline-level-style text:level="1" style:num-format="1"/><text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style></office:styles></office:document-styles>',
                "content.xml": f"<office:document-content {ODF}><office:automatic-styles>{styles}</office:automatic-styles><office:body>{body}</office:body></office:document-content>"})


odf("full.odt", "text", '<style:style style:name="T1" style:family="text"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Preformatted_20_Text"/>'
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="a" style:num-suffix=")"/></text:list-style>',
    '<office:text><text:tracked-changes><text:changed-region><text:deletion><text:p>Deleted.</text:p></text:deletion></text:changed-region></text:tracked-changes>'
    '<text:table-of-content><text:index-body><text:p>Care 1</text:p></text:index-body></text:table-of-content>'
    '<text:h text:outline-level="1">Care</text:h><text:p>Clean<text:s text:c="3"/>it<text:span text:style-name="T1"> secretly</text:span> weekly'
    '<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>With water.</text:p></text:note-body></text:note>.'
    '<office:annotation><dc:creator>Bob</dc:creator><dc:date>2024-01-01</dc:date><text:p>Why?</text:p></office:annotation></text:p>'
    '<text:h text:outline-level="2">Steps</text:h><text:list text:style-name="L1"><text:list-item><text:p>drain</text:p><text:list><text:list-item><text:p>all</text:p></text:list-item></text:list></text:list-item><text:list-item><text:p>dry</text:p></text:list-item></text:list>'
    '<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Bolt</text:p></table:table-cell><table:table-cell><text:p>Torque</text:p></table:table-cell></table:table-row></table:table-header-rows>'
    '<table:table-row table:number-rows-repeated="2000000000"><table:table-cell><text:p>M6</text:p></table:table-cell><table:table-cell><text:p>10 Nm</text:p></table:table-cell></table:table-row></table:table>'
    '<text:section text:display="none"><text:p>Not for you.</text:p></text:section>'
    '<text:p><draw:frame><draw:text-box><text:p>In a box.</text:p></draw:text-box></draw:frame><draw:frame><draw:image/><svg:desc>A pump with its lid open</svg:desc></draw:frame>Around it.</text:p>'
    '<text:p text:style-name="P1">a<text:line-break/><text:s text:c="2"/>b</text:p></office:text>')
odf("encrypted.odt", "text", "", "", '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>')
odf("slides.odp", "presentation", '<style:style style:name="d2" style:family="drawing-page"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>',
    '<office:presentation><draw:page><draw:frame presentation:class="outline"><draw:text-box><text:list><text:list-item><text:p>Drain the water</text:p></text:list-item></text:list></draw:text-box></draw:frame>'
    '<draw:frame presentation:class="title"><draw:text-box><text:p>Before the frost</text:p></draw:text-box></draw:frame><draw:frame presentation:class="footer"><draw:text-box><text:p>Example Ltd</text:p></draw:text-box></draw:frame>'
    '<presentation:notes><draw:frame presentation:class="notes"><draw:text-box><text:p>Tell the story.</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>'
    '<draw:page draw:style-name="d2"><draw:frame><draw:text-box><text:p>Never shown</text:p></draw:text-box></draw:frame></draw:page>'
    '<draw:page><draw:custom-shape><text:p>Tighten crosswise.</text:p></draw:custom-shape></draw:page></office:presentation>')
CELLS = "".join(f'<table:table-cell><text:p>{t}</text:p></table:table-cell>' for t in ["Apple", "1,50 €"])
odf("sheet.ods", "spreadsheet", '<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>',
    '<office:spreadsheet><table:table table:name="Prices"><table:table-row><table:table-cell><text:p>Fruit</text:p></table:table-cell><table:table-cell><text:p>Price</text:p></table:table-cell></table:table-row>'
    f'<table:table-row>{CELLS}<table:table-cell table:number-columns-repeated="16382"/></table:table-row><table:table-row table:visibility="collapse">{CELLS}</table:table-row>'
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>'
    f'<table:table table:name="Secret" table:style-name="ta2"><table:table-row>{CELLS}</table:table-row></table:table></office:spreadsheet>')

# ---- workbook

FORMATS = ["0.00%", "d/m/yyyy", '#,##0.00\\ "€"', "[h]:mm", "mmmm yyyy", "0.00E+00"]
pack("book.xlsx", {
    "[Content_Types].xml": types("xl/workbook.xml", "spreadsheetml.sheet"),
    "_rels/.rels": relations(("officeDocument", "xl/workbook.xml"), ("core-properties", "docProps/core.xml")),
    "docProps/core.xml": CORE.format("Sales"),
    "xl/workbook.xml": f'<workbook {S} {R}><workbookPr/><sheets><sheet name="Sales" sheetId="1" r:id="rId1"/><sheet name="Hidden" sheetId="2" state="hidden" r:id="rId2"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": relations(("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")),
    "xl/sharedStrings.xml": f"<sst {S}><si><t>Product</t></si><si><r><t>Sha</t></r><r><t>re</t></r><rPh><t>x</t></rPh></si></sst>",
    "xl/styles.xml": f"<styleSheet {S}><numFmts>" + "".join(f'<numFmt numFmtId="{164 + i}" formatCode="{c.replace(chr(34), "&quot;")}"/>' for i, c in enumerate(FORMATS))
    + '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>' + "".join(f'<xf numFmtId="{164 + i}"/>' for i in range(len(FORMATS))) + "</cellXfs></styleSheet>",
    "xl/worksheets/sheet1.xml": f'''<worksheet {S}><cols><col min="9" max="9" hidden="1"/></cols><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>Sales of the shop</t></is></c></row>
<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c><c r="C3" t="str"><v>Since</v></c><c r="E3" t="str"><v>Sum</v></c></row>
<row r="4"><c r="A4" t="str"><v>Apple</v></c><c r="B4" s="2"><v>0.2567</v></c><c r="C4" s="3"><v>45413</v></c><c r="E4" s="4"><f>SUM(1)</f><v>-1234567.891</v></c><c r="I4"><v>42</v></c></row>
<row r="5" hidden="1"><c r="A5" t="str"><v>Secret</v></c><c r="B5"><v>1</v></c></row>
<row r="6"><c r="A6" t="str"><v>Pear</v></c><c r="B6"><v>0.1000000000000000055</v></c><c r="C6" s="1"><v>45413.75</v></c><c r="D6" s="5"><v>1.5</v></c><c r="E6" s="6"><v>45413</v></c><c r="F6" s="7"><v>12345</v></c><c r="G6" t="b"><v>1</v></c><c r="H6" t="s"><v>99999999999</v></c></row>
<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData></worksheet>''',
    "xl/worksheets/sheet2.xml": f'<worksheet {S}><sheetData><row><c t="str"><v>nobody</v></c></row></sheetData></worksheet>',
})

# ---- books

CHAPTER = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{}</body></html>'


def epub(name, extra=None, toc="nav"):
    nav = '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>' if toc == "nav" else ""
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/a.xhtml": CHAPTER.format("<nav><p>The last chapter has no heading and looks like navigation.</p></nav>"),
        "OEBPS/text/b b.xhtml": CHAPTER.format('<h1>One</h1><p>It begins.</p><table><tr><th>x</th><th>y</th></tr><tr><td>1</td><td>2</td></tr></table><p hidden="">no</p>'),
        "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A Book</dc:title><dc:creator>Ann</dc:creator><dc:date>1999-01-01</dc:date></metadata>'
        f'<manifest>{nav}<item id="t" href="toc.ncx" media-type="application/x-dtbncx+xml"/><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="b" href="text/b%20b.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/></manifest><spine toc="t"><itemref idref="n"/><itemref idref="b"/><itemref idref="a"/><itemref idref="a"/><itemref idref="gone"/></spine></package>',
        "OEBPS/nav.xhtml": CHAPTER.format('<nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="toc"><ol><li><a href="text/b%20b.xhtml">Start</a><ol><li><a href="a.xhtml#x">The end</a></li></ol></li></ol></nav>'),
        "OEBPS/toc.ncx": '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Last words</text></navLabel><content src="a.xhtml"/></navPoint></navMap></ncx>',
    }
    files.update(extra or {})
    pack(name, files)


epub("book.epub")
epub("book2.epub", toc="ncx")
epub("hidden.epub", {"OEBPS/a.xhtml": CHAPTER.format('<style>.x { display: none }</style><p>What is shown.</p><p class="x">What nobody sees.</p><p style="display:none">Nor this.</p>')})
epub("protected.epub", {"META-INF/encryption.xml": '<encryption><EncryptedData><CipherData><CipherReference URI="OEBPS/a.xhtml"/></CipherData></EncryptedData></encryption>'})
epub("fonts.epub", {"META-INF/encryption.xml": '<encryption><EncryptedData><CipherData><CipherReference URI="OEBPS/font.otf"/></CipherData></EncryptedData></encryption>'})


# ---- old formats: a compound file of one directory sector

def compound(name, *streams):
    header = bytearray(512)
    header[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    struct.pack_into("<HHHHH", header, 24, 62, 3, 0xFFFE, 9, 6)
    struct.pack_into("<III", header, 44, 1, 1, 0)
    header[76:] = b"\xff" * (512 - 76)
    struct.pack_into("<I", header, 76, 0)
    fat = struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE).ljust(512, b"\xff")
    entries = b""
    for stream in ("Root Entry", *streams):
        encoded = stream.encode("utf-16-le")
        entries += encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded) + 2) + bytes(62)
    with open(name, "wb") as out:
        out.write(bytes(header) + fat + entries.ljust(512, b"\0"))


compound("old.doc", "1Table", "WordDocument")
compound("password.xlsx", "EncryptionInfo", "EncryptedPackage")
