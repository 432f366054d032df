"""
Handing records over to the information system that the State Council's civil affairs department designates (民政部令第67号 article 4).

    mapping.json  what of ours goes where, under which name: data, so that a district changes it without code
    mapping       reads it
    gathering     the five blocks for a unit's people and a period, nobody's who did not say yes
    workbook      the file
    asking        one asks, another agrees, one of the two takes the file once; each person in it sees that on their own page

The file holds the basic information of article 5 and not one field more. It lies nowhere: it is made when it is taken.
"""
