"""The document people sign: an agreement as a tree of headings, texts and tables, written as a page and on paper."""
