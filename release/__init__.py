"""What a release consists of besides the code: the bill of materials and the list of licences."""
