"""Training a clause flagger from start to store: shared by the page and the command line, without either.

Data is split by contract, the adapter trained, calibrated on contracts kept aside, measured on others, and stored with
its manifest and model card, or nothing is stored at all.
"""
