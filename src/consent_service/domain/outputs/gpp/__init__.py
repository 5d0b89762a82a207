"""The IAB Global Privacy Platform string, written and read (OUT-07 to OUT-10; rules.md §2.5 and §6.5).

Source: InteractiveAdvertisingBureau/Global-Privacy-Platform, "Consent String Specification" and the sections for the
United States and California. What is written has the form of the reference library (padded to bytes before it is cut
into characters of six bits); what is read may have that form or the specification's (padded to six bits).
"""
