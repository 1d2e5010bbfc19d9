# Prints the bcrypt hash of the first line of its input; the second one is the salt with its prefix.
use strict;
use warnings;
chomp(my $password = <STDIN>);
chomp(my $salt = <STDIN>);
my $hash = crypt($password, $salt);
die "this machine's crypt knows no bcrypt\n" unless defined $hash && $hash =~ /^\$2b\$/;
print $hash;
