"""Text recognition (OCR) of pages that are pictures, on this machine, with models that lie inside a package.

    engine      rapidocr's models on OpenVINO: where lines stand, and what they say, character by character
    page        one picture -> its lines upright, its stamps, and what was seen but not read
    ink         what is drawn on a page beside the lines that were read
    order       lines -> reading order: columns one after the other
    numbering   section signs and list numbers that do not fit what stands around them
    extract     pages -> text, blocks, words with their places, warnings

Runs in the child process that ``documents.recognition`` starts. Needs the packages of requirements-ocr.txt.
"""
