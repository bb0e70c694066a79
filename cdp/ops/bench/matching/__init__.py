"""Measures who is taken for one person: this product's resolver beside others', on records whose truth is known.

`record` is what passes between the sets, the methods and the scores; `contest` says which there are; `resolver` is
where the product's own resolver is fitted in.
"""
