"""One module for each part of the code that has tables to show; each has `pages()`: path to text."""
